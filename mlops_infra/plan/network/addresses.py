"""Where services are reached: inside the cluster by name, outside by a port of the nodes."""

from __future__ import annotations

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from mlops_infra.catalog import Catalog, Component, Port
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.planned import NODE


def host(component: Component, port: Port | None = None) -> str:
    """DNS name of the component's Service, or of the one that `port` belongs to."""
    service = port.service if port is not None else None
    return f"{service or component.name}.{component.namespace}.svc"


def node_port(port: Port, config: StackConfig) -> int | None:
    """The port on the nodes; None where services are not exposed."""
    return port.node_port if config.cluster.expose == "nodePort" else None


def node(config: StackConfig) -> str:
    """Address of the nodes; the placeholder where an embedded cluster will have one."""
    return config.cluster.address or NODE


def inside(component: Component, port: Port) -> str:
    """URL for clients in the cluster."""
    return f"{port.scheme}://{host(component, port)}:{port.number}"


def outside(component: Component, port: Port, config: StackConfig) -> str:
    """URL for everybody: through the nodes where exposed, else the one inside the cluster."""
    exposed = node_port(port, config)
    if exposed is None:
        return inside(component, port)
    return f"{port.scheme}://{node(config)}:{exposed}"


def server_names(component: Component, config: StackConfig) -> tuple[str, ...]:
    """Every host name that a client may call the component by."""
    names = [
        component.name,
        f"{component.name}.{component.namespace}",
        host(component),
        f"{host(component)}.cluster.local",
        # kubectl port-forward
        "localhost",
        "127.0.0.1",
    ]
    if config.cluster.expose == "nodePort":
        names.append(node(config))
    return tuple(names)


def object_url(config: StackConfig, catalog: Catalog) -> str:
    """URL of the S3 API for clients in the cluster."""
    objects = config.stores.object
    component = catalog[objects.engine]
    return objects.endpoint or inside(component, component.ports[0])


def external(config: StackConfig, store: Literal["object", "sql", "kv"]) -> tuple[str, int]:
    """Host and port of a store that someone else runs."""
    if store == "object":
        return of_url(config.stores.object.endpoint or "")
    endpoint = config.stores.sql.endpoint if store == "sql" else config.stores.kv.endpoint
    host, _, port = (endpoint or "").rpartition(":")
    return host, int(port or 0)


def of_url(url: str) -> tuple[str, int]:
    """Host and port of an http or https URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_ipv4(host: str) -> bool:
    """Whether `host` is an IPv4 address and no name."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
