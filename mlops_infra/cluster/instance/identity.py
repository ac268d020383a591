"""What a cluster is, decided once and kept in its folder: mode, addresses, ports."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from mlops_infra.cluster.instance import addresses, state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.progress import Step

PORTS = ("apiserver", "etcd", "etcd-peer")
"""Ports of a simulated cluster, all on the host's loopback."""


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """The lasting facts of one cluster."""

    name: str
    simulated: bool
    slot: int = 0
    """Which /30 of `addresses.POOL`; unused where simulated."""
    ports: tuple[int, ...] = ()
    """In the order of `PORTS`; only where simulated."""
    created: float = 0.0
    simulated_node: bool = False
    """Whether a simulated node stands beside the real one."""

    @property
    def node_address(self) -> str:
        """Where the host reaches NodePorts; loopback where Pods are simulated."""
        return "127.0.0.1" if self.simulated else addresses.node_address(self.slot)

    @property
    def api_port(self) -> int:
        """Port of the API server on `node_address`."""
        return self.ports[0] if self.simulated else addresses.API_PORT

    @property
    def server(self) -> str:
        """URL of the API server from the host."""
        return f"https://{self.node_address}:{self.api_port}"

    def port(self, name: str) -> int:
        """Loopback port of `etcd` or `etcd-peer`: fixed where the cluster has its own loopback."""
        return self.ports[PORTS.index(name)] if self.simulated else {"etcd": 2379}.get(name, 2380)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the file."""
        return dataclasses.asdict(self)


def load(layout: Layout) -> Identity | None:
    """The identity recorded in the cluster's folder; None where the cluster does not exist."""
    found = state.read(layout.identity)
    if found is None:
        return None
    return Identity(**{**found, "ports": tuple(found["ports"])})


def settle(layout: Layout, *, simulated: bool, work: Step) -> Identity:
    """The identity to start with: the recorded one, with addresses that are free now.

    Called while `addresses.reserving` holds (real clusters) so that two starts never choose alike.
    """
    known = load(layout)
    if known is None:
        known = Identity(
            layout.name, simulated, slot=int(layout.id, 16), ports=(), created=time.time()
        )
    if known.simulated:
        ports = known.ports
        if not ports or not all(addresses.port_free(port) for port in ports):
            fresh = addresses.free_ports(len(PORTS))
            if ports:
                work.note(f"port {ports[0]} is taken on this machine: now on {fresh[0]}")
            ports = fresh
        known = dataclasses.replace(known, ports=ports)
    else:
        slot = addresses.choose(known.slot, addresses.routed())
        if load(layout) is not None and slot != known.slot:
            taken, given = addresses.network(known.slot), addresses.network(slot)
            work.note(f"{taken} is in use on this machine: now on {given}")
        known = dataclasses.replace(known, slot=slot)
    state.write(layout.identity, known.as_dict())
    return known
