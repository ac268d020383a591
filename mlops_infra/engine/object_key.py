"""Which Kubernetes object a Pulumi resource stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra import contract


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """A Kubernetes object, as a state and a cluster both name it."""

    version: str
    """`apiVersion`, such as `apps/v1`."""
    kind: str
    namespace: str
    """Empty for an object of the whole cluster."""
    name: str

    @classmethod
    def of(cls, type_token: str, inputs: Mapping[str, Any]) -> ObjectKey | None:
        """The object of a resource; None for charts, providers and whatever is not an object.

        Args:
            type_token: Pulumi's type, such as `kubernetes:apps/v1:Deployment`.
            inputs: its manifest.
        """
        metadata = inputs.get("metadata")
        if not isinstance(metadata, Mapping) or not metadata.get("name"):
            return None
        version = version_of(type_token, inputs)
        if not version:
            return None
        kind = type_token.rpartition(":")[2]
        return cls(version, kind, str(metadata.get("namespace") or ""), str(metadata["name"]))

    @property
    def path(self) -> str:
        """`namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.path}"


def version_of(type_token: str, inputs: Mapping[str, Any]) -> str:
    """`apiVersion` of a Kubernetes object; empty for anything else."""
    package, _, rest = type_token.partition(":")
    if package != "kubernetes":
        return ""
    return str(inputs.get("apiVersion") or rest.rpartition(":")[0].removeprefix("core/"))


def label(inputs: Mapping[str, Any], name: str) -> str:
    """A label of a manifest; empty where it is missing or secret."""
    metadata = inputs.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return str(labels.get(name) or "") if isinstance(labels, Mapping) else ""


def component_of(inputs: Mapping[str, Any]) -> str | None:
    """The component of the platform that an object belongs to, by its label."""
    return label(inputs, contract.COMPONENT_LABEL) or None
