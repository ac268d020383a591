"""What NetworkPolicy objects allow, worked out for the Pods of one node: who may open which port.

Pure. Follows the reference of `networking.k8s.io/v1`: a Pod that no policy selects in a direction
is open in it; a Pod that some select may do what any of them allows. Named ports are those of the
Pod that is called. A connection to the node (its API server) counts as going out, as it would on a
cluster whose API server is another machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pod:
    """A Pod with an address in the node's own network."""

    namespace: str
    name: str
    address: str
    labels: Labels
    ports: tuple[tuple[str, str, int], ...] = ()
    """Named ports of its containers: name, protocol, number."""


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses by prefix, some of them taken out."""

    cidr: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of one protocol: ranges that hold for every called Pod, and pairs for named ports."""

    protocol: str
    """`tcp`, `udp` or `sctp`."""
    ranges: tuple[tuple[int, int], ...] | None = None
    """First and last, merged and sorted; None where every port is meant."""
    named: tuple[tuple[str, int], ...] = ()
    """Address of the called Pod and number."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `ingress` or `egress`."""

    pods: tuple[str, ...] | None
    """Addresses of the Pods at the other end; None where everybody is meant, blocks included."""
    blocks: tuple[Block, ...] = ()
    ports: tuple[Ports, ...] | None = None
    """None where every port of every protocol is meant."""


@dataclass(frozen=True, slots=True)
class Walls:
    """Rules of every Pod that is not open, by direction and address."""

    egress: Mapping[str, tuple[Rule, ...]]
    ingress: Mapping[str, tuple[Rule, ...]]


def walls(
    pods: Iterable[Pod],
    namespaces: Mapping[str, Labels],
    policies: Iterable[Mapping[str, Any]],
) -> Walls:
    """Which rules each Pod lives by.

    Args:
        pods: those with an address.
        namespaces: labels by name.
        policies: NetworkPolicy objects as the API server gives them.
    """
    everyone = tuple(sorted(pods, key=lambda pod: pod.address))
    found: dict[str, dict[str, tuple[Rule, ...]]] = {"egress": {}, "ingress": {}}
    for policy in policies:
        spec, home = policy["spec"], policy["metadata"]["namespace"]
        chosen = tuple(
            pod for pod in everyone
            if pod.namespace == home and matches(spec.get("podSelector"), pod.labels)
        )  # fmt: skip
        for direction in directions(spec):
            rules = tuple(
                _rule(entry, direction, home, chosen, everyone, namespaces)
                for entry in spec.get(direction) or ()
            )
            for pod in chosen:
                known = found[direction].get(pod.address, ())
                found[direction][pod.address] = known + rules
    return Walls(found["egress"], found["ingress"])


def directions(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """What a policy is about: `ingress` always, `egress` where it says so or has such rules."""
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])
    return tuple(kind.lower() for kind in ("Egress", "Ingress") if kind in types)


def matches(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Whether a label selector holds; one without conditions holds for everything."""
    if not selector:
        return True
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(condition, labels) for condition in selector.get("matchExpressions") or ()
    )


def _holds(condition: Mapping[str, Any], labels: Labels) -> bool:
    key, operator = condition["key"], condition["operator"]
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    values = condition.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    # a label that is not there is not one of them: the API's own reading of NotIn
    return labels.get(key) not in values


def _rule(
    entry: Mapping[str, Any],
    direction: str,
    home: str,
    chosen: tuple[Pod, ...],
    everyone: tuple[Pod, ...],
    namespaces: Mapping[str, Labels],
) -> Rule:
    peers = entry.get("from" if direction == "ingress" else "to")
    others = everyone
    pods: tuple[str, ...] | None = None
    blocks: tuple[Block, ...] = ()
    if peers:
        others = tuple(
            pod for pod in everyone if any(_is_peer(pod, one, home, namespaces) for one in peers)
        )
        pods = tuple(pod.address for pod in others)
        blocks = tuple(
            Block(one["ipBlock"]["cidr"], _collapsed(one["ipBlock"].get("except") or ()))
            for one in peers
            if one.get("ipBlock")
        )
    called = chosen if direction == "ingress" else others
    ports = entry.get("ports")
    return Rule(pods, blocks, _ports(ports, called) if ports else None)


def _collapsed(cidrs: Iterable[str]) -> tuple[str, ...]:
    # nft refuses a set whose parts overlap
    nets = (ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)
    return tuple(
        str(net)
        for net in ipaddress.collapse_addresses(n for n in nets if isinstance(n, IPv4Network))
    )


def _is_peer(
    pod: Pod, peer: Mapping[str, Any], home: str, namespaces: Mapping[str, Labels]
) -> bool:
    if peer.get("ipBlock"):
        return False
    if "namespaceSelector" in peer and peer["namespaceSelector"] is not None:
        # a namespace nobody has told us about has no labels yet: not even `{}` takes it in
        labels = namespaces.get(pod.namespace)
        if labels is None or not matches(peer["namespaceSelector"], labels):
            return False
    elif pod.namespace != home:
        return False
    return matches(peer.get("podSelector"), pod.labels)


def _ports(entries: Iterable[Mapping[str, Any]], called: tuple[Pod, ...]) -> tuple[Ports, ...]:
    ranges: dict[str, list[tuple[int, int]]] = {}
    named: dict[str, set[tuple[str, int]]] = {}
    whole: set[str] = set()
    for entry in entries:
        protocol, port = str(entry.get("protocol") or "TCP"), entry.get("port")
        if port is None:
            whole.add(protocol)
        elif isinstance(port, int):
            ranges.setdefault(protocol, []).append((port, int(entry.get("endPort") or port)))
        else:
            named.setdefault(protocol, set()).update(
                (pod.address, number)
                for pod in called
                for name, kind, number in pod.ports
                if (name, kind) == (port, protocol)
            )
    return tuple(
        Ports(protocol.lower())
        if protocol in whole
        else Ports(
            protocol.lower(),
            merged(ranges.get(protocol, [])),
            tuple(sorted(named.get(protocol, ()))),
        )
        for protocol in sorted(whole | ranges.keys() | named.keys())
    )


def merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges that neither touch nor overlap, sorted: nft refuses a set whose parts overlap."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)
