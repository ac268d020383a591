"""What the values of one component are made from, and the parts that several components share."""

from __future__ import annotations

from typing import Any

from mlops_infra import contract
from mlops_infra.catalog import Component
from mlops_infra.plan.model.choices import StoreName, engine, store
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.model.planned import PlannedImage
from mlops_infra.plan.network import addresses, peers

Values = dict[str, Any]


class Context:
    """One component in its stack: its neighbours, its stores and how they are reached."""

    def __init__(
        self, component: Component, of: Deployment, images: tuple[PlannedImage, ...] = ()
    ) -> None:
        self.component = component
        self.of = of
        self.config = of.config
        self.selection = of.selection
        self.catalog = of.catalog
        self.images = images
        self.stack = of.stack

    def image(self, role: str) -> str:
        """Reference of the component's image `role`, as the cluster pulls it.

        Raises:
            KeyError: the component has no such image.
        """
        return {image.role: image.reference for image in self.images}[role]

    @property
    def tenants(self) -> dict[str, str]:
        """Namespace of every tenant by its name."""
        return {name: contract.tenant_namespace(name) for name in self.config.tenants}

    @property
    def clients(self) -> list[Values]:
        """Components that need or use this one, as NetworkPolicy peers."""
        return [
            peers.pods(each.component)
            for each in self.selection.choices
            if self.component.name in self.selection.partners(each.component.name)
            and each.component.namespace
        ]

    @property
    def tenant_clients(self) -> list[Values]:
        """All Pods of all tenants, as NetworkPolicy peers."""
        return [{"namespace": namespace} for namespace in self.tenants.values()]

    def persistence(self, name: StoreName) -> Values:
        """`persistence` of the store's own chart."""
        wanted = store(self.config, name)
        return {
            "persistence": {
                "size": wanted.size,
                "storageClass": self.config.cluster.storage_class or "",
                "retain": wanted.retain,
            }
        }

    def volume(self, size: str) -> Values:
        """`persistence` of a component that is no store: gone with the component."""
        storage_class = self.config.cluster.storage_class or ""
        return {"persistence": {"size": size, "storageClass": storage_class, "retain": False}}

    @property
    def object_url(self) -> str:
        """URL of the S3 API for clients in the cluster."""
        return addresses.object_url(self.config, self.catalog)

    @property
    def database(self) -> Values:
        """`host` and `port` of the SQL store."""
        return self._host_and_port("sql")

    @property
    def key_value(self) -> Values:
        """`host` and `port` of the key-value store."""
        return self._host_and_port("kv")

    def _host_and_port(self, name: StoreName) -> Values:
        if store(self.config, name).state == "external":
            host, port = addresses.external(self.config, name)
            return {"host": host, "port": port}
        component = self.catalog[engine(self.config, name)]
        port_there = component.ports[0]
        return {"host": addresses.host(component, port_there), "port": port_there.number}

    def url(self, name: str, port: str | None = None) -> str | None:
        """URL of another component for clients in the cluster; None where there is none.

        Args:
            name: the component.
            port: one of its ports by name; the first where None.
        """
        wanted = self.config.components[name]
        if wanted.state == "external":
            return wanted.endpoint
        if name not in self.selection:
            return None
        component = self.catalog[name]
        if not component.ports:
            return None
        return addresses.inside(component, component.port(port) if port else component.ports[0])

    def server(self, name: StoreName) -> Values:
        """A store as a peer that the component may connect to."""
        return peers.store_server(name, self.config, self.catalog)

    def component_server(self, name: str, port: str | None = None) -> list[Values]:
        """Another component as a peer that this one may connect to; none where there is none."""
        return peers.component_servers(name, self.config, self.selection, self.catalog, port)
