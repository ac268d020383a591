"""Which objects hold state, their names in `allowReplace`, and Pulumi's protection of them.

Pure but for the one function that makes the transform: the engine judges a plan by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pulumi

COMPONENT_LABEL = "mlops-infra.dev/component"
STACK_LABEL = "mlops-infra.dev/stack"
STATEFUL_LABEL = "mlops-infra.dev/stateful"
"""On Namespaces and Secrets of ours whose loss loses data."""

PLATFORM = "platform"
"""Stands for the component in the name of an object that belongs to none."""

_ALWAYS = frozenset({"PersistentVolume", "PersistentVolumeClaim", "StatefulSet"})
_WHERE_MARKED = frozenset({"Namespace", "Secret"})


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
        type_token: for example `kubernetes:apps/v1:StatefulSet`.
        inputs: the resource's inputs: a Kubernetes manifest.
    """
    package, _, kind = type_token.partition(":")[0], "", type_token.rpartition(":")[2]
    if package != "kubernetes" or kind not in _ALWAYS | _WHERE_MARKED:
        return None
    metadata = _mapping(inputs.get("metadata"))
    labels = _mapping(metadata.get("labels"))
    if kind in _WHERE_MARKED and labels.get(STATEFUL_LABEL) != "true":
        return None
    return StatefulObject(
        component=str(labels.get(COMPONENT_LABEL) or PLATFORM),
        kind=kind,
        name=str(metadata.get("name", "")),
    )


def protecting(
    allow_replace: Iterable[str],
) -> Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]:
    """A transform that sets Pulumi's `protect` on what is stateful and not let go.

    A transform, because the objects of a chart are made inside the provider: options given to the
    chart itself would protect its Services and Deployments too and stop every ordinary change.
    """
    allowed = tuple(allow_replace)

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        import pulumi

        found = stateful_object(args.type_, args.props)
        if found is None or found.allowed(allowed):
            return None
        args.opts.protect = True
        return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)

    return transform


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
