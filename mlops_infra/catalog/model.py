"""The catalog's records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlops_infra.catalog.secrets import Condition, Recipe
from mlops_infra.catalog.versions import matches

Kind = Literal["store", "component", "node"]
"""node: images that an embedded cluster needs before any component."""
Phase = Literal["start", "run"]
"""start: pulled when the component starts; run: pulled later by a controller or a job."""


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence and where that was read."""

    spdx: str
    """SPDX expression; `LicenseRef-…` where SPDX knows no such licence."""
    source: str
    """The document that says so."""
    versions: str = "*"
    """Versions it holds for, for example `>=1.18`."""


@dataclass(frozen=True, slots=True)
class User:
    """Numeric user and group that an image runs as."""

    user: int
    group: int


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a component, in the two forms it can be had."""

    role: str
    """Key under `images:` in the chart's values."""
    phase: Phase
    recipe: str | None
    """Recipe in `recipes/`; None where it cannot be built from packages."""
    upstream: str | None
    """Full reference with registry and tag; None where nobody publishes one."""
    built_user: User | None = None
    upstream_user: User | None = None
    when: str | None = None
    """Setting of the component that asks for it; a setting that is text is the reference itself.
    None: it is always there."""
    licence: Licence | None = None
    """Only where the image holds software under another licence than the component's."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the component's Service."""

    name: str
    number: int
    node_port: int | None = None
    """Port on the nodes where the cluster exposes services; None: never exposed."""
    scheme: str = "tcp"
    """For URLs: http, redis, postgresql."""
    service: str | None = None
    """Name of the Service; the component's name where None."""
    target: int | None = None
    """Port of the Pods, which is what a NetworkPolicy knows; `number` where None."""


@dataclass(frozen=True, slots=True)
class CatalogSecret:
    """A Kubernetes Secret that the component reads."""

    name: str
    keys: Mapping[str, Recipe]
    """How the value of each key is made."""
    store: str | None = None
    """The store (`sql`, `object`, `kv`) that it opens; an external one brings its own values."""
    shared: bool = False
    """Whether a managed store reads it too, to make the account: then it also stands there."""
    when: Condition | None = None
    """The boolean setting that asks for it; None: always."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component as this release knows it."""

    name: str
    title: str
    kind: Kind
    version: str
    licences: tuple[Licence, ...]
    available: bool
    reason: str | None
    """Why it cannot be deployed yet; None where it can."""
    chart: str | None = None
    namespace: str | None = None
    stateful: bool = False
    needs: tuple[str, ...] = ()
    """Capabilities it cannot do without: `sql/postgresql`, `object/s3`, `kv/redis`, `tracking`."""
    uses: tuple[str, ...] = ()
    """Capabilities it works with where the stack has them; installed after their providers."""
    provides: tuple[str, ...] = ()
    crds: tuple[str, ...] = ()
    """API groups whose CustomResourceDefinitions must stand before it."""
    kinds: tuple[str, ...] = ()
    """Kinds of these groups that its controllers look after; all where empty."""
    in_tenants: bool = False
    """Has objects of its own in the namespaces of tenants, which therefore come first."""
    implied: bool = False
    """Planned because others need it; the configuration has no section for it."""
    acknowledge: str | None = None
    """Why `licence.accept` must name it although its licence passes; None: it need not."""
    instead: str | None = None
    """The component that is advised where this one is refused."""
    kubernetes: str = "*"
    """Minor versions of Kubernetes it runs on, for example `>=1.30,<1.36`."""
    images: tuple[Image, ...] = ()
    ports: tuple[Port, ...] = ()
    secrets: tuple[CatalogSecret, ...] = ()
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the Pods that serve; `app.kubernetes.io/name` with its name where empty."""
    ready: str | None = None
    """HTTP path that answers 200 once the component serves; None: the Pod's own probe decides."""
    sizes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Chart values by `cluster.sizing`: requests, limits and what must grow with them."""

    def licence(self, version: str | None = None) -> Licence:
        """The licence of `version`, or of the catalog's own.

        Raises:
            LookupError: no entry covers that version.
        """
        wanted = version or self.version
        for licence in self.licences:
            if matches(wanted, licence.versions):
                return licence
        raise LookupError(f"the catalogue has no licence for {self.name} {wanted}")

    def port(self, name: str) -> Port:
        """The port called `name`."""
        return next(port for port in self.ports if port.name == name)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All components by name."""

    components: Mapping[str, Component]

    def __getitem__(self, name: str) -> Component:
        return self.components[name]

    def __iter__(self) -> Iterator[Component]:
        return iter(self.components.values())

    def __contains__(self, name: object) -> bool:
        return name in self.components
