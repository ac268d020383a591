"""The walls between Pods as one nftables table, replaced as a whole in one transaction.

Pure. Every connection that a Pod opens passes `egress`, every one that reaches a Pod from elsewhere
passes `ingress`; packets of connections that stand are let through before. Of an address in the
Pods' range that is not known yet nothing passes: a Pod has no network before its policies hold.

What the node itself opens (the kubelet's probes, the API server's calls to webhooks) is never
judged; that is how Kubernetes defines policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops_infra.cluster.network_policies.rules import Block, Ports, Rule, Walls

TABLE = "inet mlops-infra-policies"
REFUSE = "counter reject with icmpx admin-prohibited"
"""The caller is told at once; "No route to host" tells a wall from a closed port."""
WAIT = "counter drop"
"""For a Pod that is just starting: its clients ask again by themselves, an answer they would take
for the last word."""

_CHAINS = """
 chain forward {{
  type filter hook forward priority filter - 1; policy accept;
  ct state established,related accept
  iifname "cni0" meta nfproto ipv6 drop
{own}  ip saddr {range} jump egress
  ip daddr {range} jump ingress
 }}
 chain input {{
  type filter hook input priority filter - 1; policy accept;
  ct state established,related accept
  iifname "cni0" meta nfproto ipv6 drop
  ip saddr {range} jump egress
 }}
"""


def table(known: Iterable[str], found: Walls, pod_range: str) -> str:
    """Input for `nft -f`.

    Args:
        known: addresses of all Pods, the open ones too.
        found: the rules of those that are not open.
        pod_range: the prefix that Pods of this node get their addresses from.
    """
    everyone = sorted(known)
    # a Pod may always call itself, also through its own Service
    own = f"  ip saddr . ip daddr {_set(f'{one} . {one}' for one in everyone)} accept\n"
    text = _CHAINS.format(range=pod_range, own=own if everyone else "")
    text += _direction("egress", everyone, found.egress)
    text += _direction("ingress", everyone, found.ingress)
    # the first line makes the table where it is missing, so that the second can always delete it
    return f"table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{{text}}}\n"


def _direction(name: str, everyone: list[str], rules: Mapping[str, tuple[Rule, ...]]) -> str:
    own, other = ("saddr", "daddr") if name == "egress" else ("daddr", "saddr")
    chains: dict[tuple[Rule, ...], str] = {}
    verdicts = []
    for address in everyone:
        if address not in rules:
            verdicts.append(f"{address} : return")
            continue
        chain = chains.setdefault(rules[address], f"{name}-{len(chains)}")
        verdicts.append(f"{address} : goto {chain}")
    text = "".join(_chain(chain, lives_by, other) for lives_by, chain in chains.items())
    judged = f"  ip {own} vmap {_set(verdicts)}\n" if verdicts else ""
    return f"{text} chain {name} {{\n{judged}  {WAIT}\n }}\n"


def _chain(name: str, rules: tuple[Rule, ...], other: str) -> str:
    lines = [
        f"  {' '.join(filter(None, (peer, port, 'return')))}\n"
        for rule in rules
        for peer in _peers(rule, other)
        for port in _ports(rule.ports)
    ]
    body = "".join(dict.fromkeys(lines))
    return f" chain {name} {{\n{body}  {REFUSE}\n }}\n"


def _peers(rule: Rule, other: str) -> list[str]:
    if rule.pods is None:
        return [""]
    found = [f"ip {other} {_set(rule.pods)}"] if rule.pods else []
    return found + [_block(block, other) for block in rule.blocks if ":" not in block.cidr]


def _block(block: Block, other: str) -> str:
    inside = f"ip {other} {block.cidr}"
    return f"{inside} ip {other} != {_set(block.without)}" if block.without else inside


def _ports(ports: tuple[Ports, ...] | None) -> list[str]:
    if ports is None:
        return [""]
    found = []
    for one in ports:
        if one.ranges is None:
            found.append(f"meta l4proto {one.protocol}")
            continue
        if one.ranges:
            spans = (f"{a}" if a == b else f"{a}-{b}" for a, b in one.ranges)
            found.append(f"{one.protocol} dport {_set(spans)}")
        if one.named:
            pairs = (f"{address} . {number}" for address, number in one.named)
            found.append(f"ip daddr . {one.protocol} dport {_set(pairs)}")
    return found


def _set(parts: Iterable[str]) -> str:
    return f"{{ {', '.join(parts)} }}"
