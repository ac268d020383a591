"""What is to be deployed: frozen values without a single secret in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from typing import Literal as OneOf

from mlops_infra.errors import PlanError, Problem

NODE = "{mlops-infra.node}"
"""Stands for the address of the embedded node until `Plan.for_node` fills it in."""

Phase = OneOf["start", "run"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is no secret, for example a user name."""

    value: str


@dataclass(frozen=True, slots=True)
class Generated:
    """A password made for this stack; the same id gives the same password everywhere."""

    id: str


@dataclass(frozen=True, slots=True)
class FromConfig:
    """A value that `secrets.<secret>.<key>` of the configuration refers to."""

    secret: str
    key: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Part of the certificate of a server in the cluster, signed by its namespace's authority."""

    service: str
    namespace: str
    part: OneOf["ca.crt", "tls.crt", "tls.key"]


SecretValue = Literal | Generated | FromConfig | Certificate


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A Kubernetes Secret of type Opaque."""

    name: str
    namespace: str
    keys: Mapping[str, SecretValue]
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image that the cluster pulls or that is loaded into it."""

    component: str
    role: str
    reference: str
    phase: Phase
    recipe: str | None
    """Recipe to build it by; None where it is upstream's own image."""
    obtainable: bool = True
    """Whether the embedded node can have it; any other cluster pulls by itself."""
    why: str = ""
    """Where it comes from, or why it cannot be had; empty where the cluster is not embedded."""


@dataclass(frozen=True, slots=True)
class PlannedComponent:
    """One Helm chart with its Secrets."""

    name: str
    version: str
    namespace: str
    """Empty where all its objects belong to the whole cluster."""
    chart: str
    values: Mapping[str, Any]
    """Plain data for Helm."""
    needs: tuple[str, ...]
    """Names of components that are Ready before this one is installed."""
    images: tuple[PlannedImage, ...]
    secrets: tuple[SecretSpec, ...]
    stateful: bool
    simulated: bool = False
    """Its Pods go to the embedded cluster's simulated node: they count as Ready, nothing runs."""
    why: str = ""
    """Why its Pods are real or simulated; empty where the cluster is not embedded."""
    tenant: str | None = None
    """The tenant whose namespace this is; None for parts of the platform."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should know and that stops nothing."""

    gate: OneOf["licence", "compatibility", "release"]
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All of one stack, components in the order of installation."""

    stack: str
    profile: OneOf["aws", "onprem"]
    components: tuple[PlannedComponent, ...]
    outputs: Mapping[str, Any]
    """The platform contract; addresses of an embedded node are `NODE`."""
    findings: tuple[Finding, ...]
    node_images: tuple[PlannedImage, ...] = ()
    """Images that the embedded cluster itself is made of."""
    refusal: Problem | None = None
    """Why this release can check but not deploy the whole stack; None where it can."""
    file: str = "configuration"

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces of the components, each once, in the order of installation."""
        found = (component.namespace for component in self.components if component.namespace)
        return tuple(dict.fromkeys(found))

    @property
    def images(self) -> tuple[PlannedImage, ...]:
        """Images of the components, each reference once."""
        found = {image.reference: image for each in self.components for image in each.images}
        return tuple(found.values())

    def component(self, name: str) -> PlannedComponent:
        """The planned component called `name`.

        Raises:
            KeyError: it is not part of this plan.
        """
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)

    def require_deployable(self) -> None:
        """Stop before anything is touched, where this release can only check the stack.

        Raises:
            PlanError: with the reason.
        """
        if self.refusal is not None:
            hint = "mlops-infra check still validates the file"
            raise PlanError(self.file, [self.refusal], hint=hint)

    @property
    def names_node(self) -> bool:
        """Whether an address of the embedded node is yet to be filled in."""
        return any(map(_names_node, (self.outputs, *(each.values for each in self.components))))

    def for_node(self, address: str) -> Plan:
        """The same plan with the node's address in the place of `NODE`, values included."""
        return replace(
            self,
            outputs=_filled(self.outputs, address),
            components=tuple(
                replace(each, values=_filled(each.values, address)) for each in self.components
            ),
        )


def _names_node(value: Any) -> bool:
    if isinstance(value, str):
        return NODE in value
    if isinstance(value, Mapping):
        return any(map(_names_node, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_names_node, value))


def _filled(value: Any, address: str) -> Any:
    if isinstance(value, str):
        return value.replace(NODE, address)
    if isinstance(value, Mapping):
        return {key: _filled(each, address) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(each, address) for each in value]
    return value
