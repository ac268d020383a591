"""NetworkPolicies: what our engine makes of them, against a plain reading of the reference."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.cluster.network_policies.nftables import table
from mlops_infra.cluster.network_policies.pod_addresses import ADDRESSES, TASKS, Sandboxes
from mlops_infra.cluster.network_policies.rules import Pod, Rule, Walls, matches, merged, walls

NAMESPACES = {"a": {"team": "red"}, "b": {"team": "blue"}}
OUTSIDE = "10.231.0.1"
labels = st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2)
pods = st.lists(
    st.tuples(st.sampled_from("ab"), labels, st.sampled_from([80, 81])), min_size=2, max_size=4
).map(
    lambda found: [
        Pod(namespace, f"p{n}", f"10.244.0.{n + 2}", has, (("web", "TCP", port),))
        for n, (namespace, has, port) in enumerate(found)
    ]
)
conditions = st.one_of(
    st.builds(
        lambda key, how: {"key": key, "operator": how},
        st.sampled_from("xy"), st.sampled_from(["Exists", "DoesNotExist"]),
    ),
    st.builds(
        lambda key, how, values: {"key": key, "operator": how, "values": values},
        st.sampled_from("xy"), st.sampled_from(["In", "NotIn"]),
        st.lists(st.sampled_from("12"), min_size=1, max_size=2),
    ),
)  # fmt: skip
selectors = st.fixed_dictionaries(
    {}, optional={"matchLabels": labels, "matchExpressions": st.lists(conditions, max_size=1)}
)
teams = st.sampled_from([{}, {"matchLabels": {"team": "red"}}, {"matchLabels": {"team": "blue"}}])
peers = st.one_of(
    st.builds(lambda one: {"podSelector": one}, selectors),
    st.builds(lambda one: {"namespaceSelector": one}, teams),
    st.builds(lambda a, b: {"namespaceSelector": a, "podSelector": b}, teams, selectors),
    st.just({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.244.0.0/16", "10.244.0.0/24"]}}),
)
ports = st.one_of(
    st.just({"port": "web"}), st.just({"protocol": "UDP"}), st.just({"port": 80, "endPort": 81}),
    st.builds(lambda port: {"port": port, "protocol": "TCP"}, st.sampled_from([80, 81])),
)  # fmt: skip


def entries(side: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={side: st.lists(peers, max_size=2), "ports": st.lists(ports, max_size=2)}
    )


policies = st.lists(
    st.builds(
        lambda home, chosen, types, ingress, egress: {
            "metadata": {"namespace": home},
            "spec": {"podSelector": chosen, "policyTypes": types, "ingress": ingress,
                     "egress": egress},
        },
        st.sampled_from("ab"), selectors,
        st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        st.lists(entries("from"), max_size=2), st.lists(entries("to"), max_size=2),
    ),
    max_size=4,
)  # fmt: skip


def lets(rules: tuple[Rule, ...], other: str, called: str, protocol: str, port: int) -> bool:
    """Whether one of our rules holds, as nftables would judge it."""
    for rule in rules:
        at_home = rule.pods is None or other in rule.pods
        inside = any(
            ipaddress.ip_address(other) in ipaddress.ip_network(block.cidr)
            and not any(
                ipaddress.ip_address(other) in ipaddress.ip_network(n) for n in block.without
            )
            for block in rule.blocks
        )
        fits = rule.ports is None or any(
            one.protocol == protocol
            and (
                one.ranges is None
                or any(a <= port <= b for a, b in one.ranges)
                or (called, port) in one.named
            )
            for one in rule.ports
        )
        if (at_home or inside) and fits:
            return True
    return False


def passes(found: Walls, source: str, target: str, protocol: str, port: int) -> bool:
    out, into = found.egress.get(source), found.ingress.get(target)
    return (out is None or lets(out, target, target, protocol, port)) and (
        into is None or lets(into, source, target, protocol, port)
    )


def read(
    pod: Pod, other: Pod | None, called: Pod | None, protocol: str, port: int,
    given: list[dict[str, Any]], side: str,
) -> bool:  # fmt: skip
    """The reference, read plainly: no policy for it: open; else one entry must let it through."""
    key, peer_key = ("egress", "to") if side == "Egress" else ("ingress", "from")
    mine = [
        policy["spec"]
        for policy in given
        if policy["metadata"]["namespace"] == pod.namespace
        and side in policy["spec"]["policyTypes"]
        and matches(policy["spec"]["podSelector"], pod.labels)
    ]
    home = pod.namespace

    def is_peer(peer: Mapping[str, Any]) -> bool:
        if "ipBlock" in peer:
            return other is None
        if other is None:
            return False
        near = (
            matches(peer["namespaceSelector"], NAMESPACES[other.namespace])
            if "namespaceSelector" in peer
            else other.namespace == home
        )
        return near and matches(peer.get("podSelector"), other.labels)

    def is_port(one: Mapping[str, Any]) -> bool:
        wanted = one.get("port")
        if one.get("protocol", "TCP").lower() != protocol:
            return False
        if wanted == "web":
            return called is not None and called.ports[0][2] == port
        return wanted is None or wanted <= port <= one.get("endPort", wanted)

    return not mine or any(
        (not entry.get(peer_key) or any(map(is_peer, entry[peer_key])))
        and (not entry.get("ports") or any(map(is_port, entry["ports"])))
        for spec in mine
        for entry in spec[key]
    )


@settings(max_examples=100)
@given(pods, policies, st.sampled_from([("tcp", 80), ("tcp", 81), ("udp", 80)]))
def test_walls_let_through_what_the_reference_lets_through(
    found: list[Pod], given: list[dict[str, Any]], how: tuple[str, int]
) -> None:
    made = walls(found, NAMESPACES, given)
    for one in found:
        for other in (*found, None):
            into = read(one, other, one, *how, given, "Ingress")
            out = other is None or read(other, one, one, *how, given, "Egress")
            source = other.address if other else OUTSIDE
            assert passes(made, source, one.address, *how) == (into and out)


def test_a_namespace_nobody_knows_matches_no_selector() -> None:
    one, two = Pod("a", "p", "10.244.0.2", {}), Pod("new", "q", "10.244.0.3", {})
    entry = {"from": [{"namespaceSelector": {}}]}
    policy = {"metadata": {"namespace": "a"}, "spec": {"podSelector": {}, "ingress": [entry]}}
    (rule,) = walls([one, two], {"a": {}}, [policy]).ingress["10.244.0.2"]
    assert rule.pods == ("10.244.0.2",)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)).map(lambda x: (x[0], sum(x)))))
def test_merged_ranges_cover_the_same_ports_without_overlap(
    ranges: list[tuple[int, int]],
) -> None:
    made = merged(ranges)
    covered = [port for a, b in made for port in range(a, b + 1)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {port for a, b in ranges for port in range(a, b + 1)}


def test_a_pod_without_rules_yet_has_no_network() -> None:
    text = table((), Walls({}, {}), "10.244.0.0/24")
    for direction in ("egress", "ingress"):
        chain = text.partition(f" chain {direction} {{\n")[2].partition("}")[0]
        assert chain.strip() == "counter drop"


@pytest.fixture
def records(tmp_path: Path) -> Path:
    for folder in (ADDRESSES, TASKS):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / ADDRESSES / "last_reserved_ip.0").write_text("10.244.0.5")
    (tmp_path / ADDRESSES / "lock").write_text("")
    return tmp_path


def give(root: Path, address: str, sandbox: str, pod: str = "") -> None:
    (root / ADDRESSES / address).write_text(f"{sandbox}\r\neth0")
    if pod:
        (root / TASKS / sandbox).mkdir()
        names = {"io.kubernetes.cri.sandbox-namespace": "ns", "io.kubernetes.cri.sandbox-name": pod}
        (root / TASKS / sandbox / "config.json").write_text(json.dumps({"annotations": names}))


def test_addresses_come_from_the_node_and_an_address_given_anew_is_another_pod(
    records: Path,
) -> None:
    node = Sandboxes(records)
    give(records, "10.244.0.5", "one", "first")
    give(records, "10.244.0.6", "two")
    assert node.addresses() == {"10.244.0.5": "ns/first"}
    assert node.unknown == ("10.244.0.6",)
    give(records, "10.244.0.5", "three", "second")
    (records / ADDRESSES / "10.244.0.6").unlink()
    assert node.addresses() == {"10.244.0.5": "ns/second"}
    assert node.unknown == ()
