from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.cluster.instance import addresses
from mlops_infra.errors import OperationFailed

slots = st.integers(min_value=0, max_value=2**32)

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
mi1\t1800E70A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0
"""


@given(slots)
def test_host_and_node_share_a_private_network(slot: int) -> None:
    net = addresses.network(slot)
    assert net.subnet_of(addresses.POOL)
    host, node = addresses.host_address(slot), addresses.node_address(slot)
    assert {ipaddress.ip_address(host), ipaddress.ip_address(node)} == set(net.hosts())


@given(slots, st.lists(slots, max_size=20))
def test_a_chosen_slot_is_never_taken(preferred: int, others: list[int]) -> None:
    taken = [addresses.network(other) for other in others]
    slot = addresses.choose(preferred, taken)
    assert addresses.network(slot) not in taken


def test_routes_of_the_machine_are_read() -> None:
    assert addresses.routed(ROUTES) == (
        ipaddress.IPv4Network("192.0.2.0/24"),
        ipaddress.IPv4Network("10.231.0.24/30"),
    )


def test_a_wide_route_does_not_block_the_pool_but_the_whole_pool_does() -> None:
    assert addresses.choose(5, [ipaddress.IPv4Network("10.0.0.0/8")]) == 5
    with pytest.raises(OperationFailed, match="no free address"):
        addresses.choose(5, [addresses.POOL])


def test_free_ports_differ_and_are_free() -> None:
    ports = addresses.free_ports(3)
    assert len(set(ports)) == 3
    assert all(addresses.port_free(port) for port in ports)
