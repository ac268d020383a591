"""Which private network joins the host and a cluster's node, and which loopback ports are free.

Every cluster has its own network namespace, so Pod and Service ranges never collide; only the
small network between host and node is seen from outside.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_infra.errors import OperationFailed

POOL = ipaddress.IPv4Network("10.231.0.0/16")
SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DOMAIN = "cluster.local"
API_PORT = 6443

_SLOTS = POOL.num_addresses // 4


def network(slot: int) -> ipaddress.IPv4Network:
    """The /30 of a slot: its first address is the host's, its second the node's."""
    return ipaddress.IPv4Network((int(POOL.network_address) + 4 * (slot % _SLOTS), 30))


def host_address(slot: int) -> str:
    """Address of the host's end of the pair."""
    return str(network(slot)[1])


def node_address(slot: int) -> str:
    """Address of the node: API server and NodePorts answer here."""
    return str(network(slot)[2])


def routed(table: str | None = None) -> tuple[ipaddress.IPv4Network, ...]:
    """The destinations this machine has routes to, the default route left out."""
    text = Path("/proc/net/route").read_text(encoding="ascii") if table is None else table
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        destination, mask = (struct.pack("<L", int(fields[i], 16)) for i in (1, 7))
        length = int.from_bytes(mask, "big").bit_count()
        if length:
            found.append(ipaddress.IPv4Network((destination, length), strict=False))
    return tuple(found)


def choose(preferred: int, taken: Iterable[ipaddress.IPv4Network]) -> int:
    """The first slot from `preferred` on whose network overlaps nothing in `taken`.

    Raises:
        OperationFailed: the whole pool is taken, for example by a route to 10.0.0.0/8.
    """
    nets = tuple(taken)
    if any(POOL.subnet_of(net) and net.prefixlen < POOL.prefixlen for net in nets):
        # a wide route (a VPN to 10.0.0.0/8) is no obstacle: the /30 is more specific
        nets = tuple(net for net in nets if net.prefixlen >= POOL.prefixlen)
    for offset in range(_SLOTS):
        slot = (preferred + offset) % _SLOTS
        if not any(network(slot).overlaps(net) for net in nets):
            return slot
    raise OperationFailed(
        f"no free address is left in {POOL} for a cluster's node",
        hint="delete unused clusters: mlops-infra cluster delete NAME",
    )


@contextmanager
def reserving(patience: float = 30.0) -> Iterator[None]:
    """Choose addresses on this machine alone; an abstract socket leaves no file behind.

    Raises:
        OperationFailed: somebody else held it for `patience` seconds.
    """
    deadline = time.monotonic() + patience
    with socket.socket(socket.AF_UNIX) as guard:
        while True:
            try:
                guard.bind("\0mlops-infra-addresses")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise OperationFailed(
                        "another cluster has locked the address list for 30 s",
                        hint="run the command again",
                    ) from None
                time.sleep(0.05)
        yield


def free_ports(count: int) -> tuple[int, ...]:
    """Loopback ports that nobody listens on right now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return tuple(one.getsockname()[1] for one in sockets)
    finally:
        for one in sockets:
            one.close()


def port_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
