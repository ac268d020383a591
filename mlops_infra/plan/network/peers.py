"""Who connects to whom, as the charts' NetworkPolicies take it.

A peer is `{namespace, podLabels}` or `{cidr}`; a server is a peer with the `port` of its Pods.
"""

from __future__ import annotations

from typing import Any

from mlops_infra import contract
from mlops_infra.catalog import Catalog, Component, Port
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import Selection, StoreName, engine, store
from mlops_infra.plan.network import addresses

Peer = dict[str, Any]

SERVICES = frozenset({"tracking", "features", "gateway", "tuning"})
"""Capabilities, beside those of the stores, that Pods of tenants connect to."""
_STORED = frozenset({"object/s3", "kv/redis", "sql/postgresql"})


def pods(component: Component) -> Peer:
    """The Pods of a component."""
    labels = component.pod_labels or {contract.NAME_LABEL: component.name}
    return {"namespace": component.namespace, "podLabels": dict(labels)}


def serves_tenants(component: Component) -> bool:
    """Whether Pods of tenants connect to `component`."""
    return bool((SERVICES | _STORED) & set(component.provides))


def outside(host: str, port: int) -> Peer:
    """A server that someone else runs.

    A NetworkPolicy knows addresses, not names: a name opens its one port to all addresses.
    """
    return {"cidr": f"{host}/32" if addresses.is_ipv4(host) else "0.0.0.0/0", "port": port}


def store_server(name: StoreName, config: StackConfig, catalog: Catalog) -> Peer:
    """A store that is managed or external."""
    if store(config, name).state == "managed":
        component = catalog[engine(config, name)]
        return server(component, component.ports[0])
    return outside(*addresses.external(config, name))


def server(component: Component, port: Port) -> Peer:
    """One port of a component."""
    return {**pods(component), "port": port.target or port.number}


def component_servers(
    name: str, config: StackConfig, selection: Selection, catalog: Catalog, port: str | None = None
) -> list[Peer]:
    """A component, managed or external; none where there is none.

    Args:
        name: the component.
        config: tells whether someone else runs it.
        selection: what is deployed.
        catalog: where its ports stand.
        port: one of them by name; the first where None.
    """
    wanted = config.components[name]
    if wanted.state == "external" and wanted.endpoint:
        return [outside(*addresses.of_url(wanted.endpoint))]
    if name not in selection or not catalog[name].ports:
        return []
    component = catalog[name]
    return [server(component, component.port(port) if port else component.ports[0])]
