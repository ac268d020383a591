"""Start, stop, inspect and delete the embedded cluster."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for
from mlops_infra.errors import FoundError

if TYPE_CHECKING:
    from mlops_infra.cluster import ClusterStatus

DEFAULT = "sandbox"
"""The cluster of the example stack of the same name."""

_F = TypeVar("_F", bound=Callable[..., Any])


@click.group(name="cluster")
def command() -> None:
    """Start, stop, inspect and delete the embedded cluster.

    It runs in its own namespaces, continues after this command and keeps its data until `delete`.
    """


def _name(function: _F) -> _F:
    return click.argument("name", default=DEFAULT, metavar="[NAME]")(function)


@command.command()
@_name
@click.option(
    "--simulated", is_flag=True, help="Simulate the nodes: Pods become Ready without running."
)
@options.as_json
def start(name: str, simulated: bool, as_json: bool) -> None:
    """Start a cluster with its existing data; NAME defaults to `sandbox`."""
    from mlops_infra.cluster import EmbeddedCluster

    _show(EmbeddedCluster(name).start(sink_for(as_json), simulated=simulated), as_json)


@command.command()
@_name
@options.as_json
def stop(name: str, as_json: bool) -> None:
    """Stop a cluster; its data stays."""
    from mlops_infra.cluster import EmbeddedCluster

    cluster = EmbeddedCluster(name)
    cluster.stop(sink_for(as_json))
    _show(cluster.status(), as_json)


@command.command()
@click.argument("name", required=False, metavar="[NAME]")
@options.as_json
def status(name: str | None, as_json: bool) -> None:
    """Show one cluster, or all; exit code 3 if one is degraded."""
    from mlops_infra.cluster import EmbeddedCluster, existing

    names = (name,) if name else existing()
    found = [EmbeddedCluster(one).status() for one in names]
    if as_json:
        output.document(found[0].as_dict() if name else [one.as_dict() for one in found])
    elif not found:
        output.text(f"no cluster yet; mlops-infra cluster start {DEFAULT}")
    else:
        for one in found:
            _print(one)
    if bad := [one.name for one in found if one.phase == "degraded"]:
        raise FoundError(
            f"degraded: {', '.join(bad)}",
            hint="the logs are in the cluster's folder, below `logs`",
        )


@command.command()
@_name
@options.as_json
def delete(name: str, as_json: bool) -> None:
    """Delete a cluster with all its data."""
    from mlops_infra import places
    from mlops_infra.cluster import EmbeddedCluster
    from mlops_infra.teardown import machine

    cluster = EmbeddedCluster(name)
    cluster.delete(sink_for(as_json))
    machine.prune(places.data())
    _show(cluster.status(), as_json)


def _show(found: ClusterStatus, as_json: bool) -> None:
    if as_json:
        output.document(found.as_dict())
    else:
        _print(found)


def _print(found: ClusterStatus) -> None:
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
