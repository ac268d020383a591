"""Which connections cross the walls of a tenant; everything else is denied."""

from __future__ import annotations

from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import STORES, Selection, store
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.model.planned import NODE
from mlops_infra.plan.network import peers
from mlops_infra.plan.network.peers import SERVICES, Peer
from mlops_infra.plan.tenancy import pipelines

CALLERS = frozenset({"gateway", "metrics", "serving", "edge", "notebooks", "tuning"})
"""Capabilities whose Pods connect to Pods of tenants."""


def servers(of: Deployment) -> list[Peer]:
    """Stores and services that Pods of a tenant may connect to."""
    config, selection, catalog = of.config, of.selection, of.catalog
    found = [
        peers.store_server(name, config, catalog)
        for name in STORES
        if store(config, name).state != "removed"
    ]
    for name, _ in config.components.by_name():
        if SERVICES & set(catalog[name].provides):
            found += peers.component_servers(name, config, selection, catalog)
            if "gateway" in catalog[name].provides and name in selection:
                found.append(peers.server(catalog[name], catalog[name].port("grpc")))
    return found + pipelines.servers(of)


def clients(selection: Selection) -> list[Peer]:
    """Parts of the platform that may connect to Pods of a tenant."""
    return [
        peers.pods(choice.component)
        for choice in selection.choices
        if CALLERS & set(choice.component.provides) and choice.component.namespace
    ]


def api_server(config: StackConfig) -> list[str]:
    """Address ranges of the Kubernetes API; empty where nobody told them."""
    return [f"{NODE}/32"] if config.cluster.embedded else list(config.cluster.api_server)
