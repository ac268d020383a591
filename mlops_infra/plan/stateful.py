"""Which objects hold state, and their names in `allowReplace`.

One rule for the program that protects them, the engine that judges a change and the teardown that
says what stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra import contract
from mlops_infra.plan.aws.stateful import STATEFUL, kind_of

PLATFORM = "platform"
"""Stands for the component in the name of an object that belongs to none."""

_ALWAYS = frozenset({"PersistentVolume", "PersistentVolumeClaim", "StatefulSet"})
_WHERE_MARKED = frozenset({"Cluster", "Namespace", "Secret"})
"""`Cluster` is CloudNativePG's: its operator deletes the volumes with it."""


@dataclass(frozen=True, slots=True)
class StatefulObject:
    """An object that must not be lost by accident."""

    component: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.component}/{self.kind}/{self.name}"

    def allowed(self, allow_replace: Iterable[str]) -> bool:
        """Whether the configuration's `allowReplace` names it or its whole component."""
        return not {str(self), self.component}.isdisjoint(allow_replace)


def stateful_object(type_token: str, inputs: Mapping[str, Any]) -> StatefulObject | None:
    """The stateful object that a Pulumi resource stands for, or None.

    Args:
        type_token: for example `kubernetes:apps/v1:StatefulSet` or `aws:s3/bucket:Bucket`.
        inputs: the resource's inputs: a Kubernetes manifest, or what the AWS type takes.
    """
    if type_token in STATEFUL:
        component, kind = kind_of(type_token)
        return StatefulObject(component, kind, _named(inputs, STATEFUL[type_token].name))
    package, _, kind = type_token.partition(":")[0], "", type_token.rpartition(":")[2]
    if package != "kubernetes" or kind not in _ALWAYS | _WHERE_MARKED:
        return None
    metadata = _mapping(inputs.get("metadata"))
    labels = _mapping(metadata.get("labels"))
    if kind in _WHERE_MARKED and labels.get(contract.STATEFUL_LABEL) != "true":
        return None
    return StatefulObject(
        component=str(labels.get(contract.COMPONENT_LABEL) or PLATFORM),
        kind=kind,
        name=str(metadata.get("name", "")),
    )


def _named(inputs: Mapping[str, Any], name: str) -> str:
    """The input `name`; a program in Python holds it in snake_case before it is sent."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return str(inputs.get(name) or inputs.get(snake) or "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
