"""What the commands of `mlops-infra cluster` share: which cluster, and how it is shown."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlops_infra.cli import output

if TYPE_CHECKING:
    from mlops_infra.cluster import ClusterStatus

DEFAULT = "sandbox"
"""The cluster of the example stack of the same name."""

_F = TypeVar("_F", bound=Callable[..., Any])


def cluster_name(function: _F) -> _F:
    """`NAME` of a cluster, passed on as `name: str`."""
    return click.argument("name", default=DEFAULT, metavar="[NAME]")(function)


def show(found: ClusterStatus, as_json: bool) -> None:
    """Write one cluster's status to stdout."""
    if as_json:
        output.document(found.as_dict())
    else:
        text(found)


def text(found: ClusterStatus) -> None:
    """The same for people."""
    output.text(f"cluster {found.name}: {found.phase}")
    if found.phase == "absent":
        return
    output.text(f"  API server   {found.apiserver}")
    output.text(f"  kubeconfig   {found.kubeconfig}")
    output.text(f"  NodePorts    {found.node_address}")
    for node in found.nodes:
        output.text(f"  node         {node.name} {node.version} {_ready(node.ready)}")
    if found.pods is not None:
        told = " (simulated)" if found.simulated else ""
        output.text(f"  Pods         {_counts(found.pods)}{told}")
    if found.simulated_pods:
        output.text(f"  simulated    {_counts(found.simulated_pods)} (these Pods do not run)")
    if found.network_policies != "unknown":
        output.text(f"  policies     NetworkPolicies are {found.network_policies}")
    if found.memory:
        output.text(f"  memory       {found.memory >> 20} MiB, Pods included")
    for note in found.notes:
        output.text(f"  note         {note}")
    if found.processes:
        output.table(
            ("process", "state", "pid", "exits", "last exit", "up since"),
            [
                (one.name, one.phase, one.pid, one.exits, one.last or None, _time(one.since))
                for one in found.processes
            ],
        )


def _counts(phases: dict[str, int]) -> str:
    return ", ".join(f"{count} {phase}" for phase, count in sorted(phases.items())) or "none"


def _ready(ready: bool) -> str:
    return "Ready" if ready else "not ready"


def _time(since: float | None) -> str | None:
    if since is None:
        return None
    return datetime.datetime.fromtimestamp(since).strftime("%Y-%m-%d %H:%M:%S")
