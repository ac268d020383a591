"""What a cluster is doing, as data for `cluster status` and for reports."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlops_infra.cluster.api.client import Api, ApiError
from mlops_infra.cluster.bring_up import readiness
from mlops_infra.cluster.control_plane.simulated_nodes import NOTICE, is_simulated
from mlops_infra.cluster.instance import identity, state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.instance.state import ProcessState
from mlops_infra.cluster.node import cgroups
from mlops_infra.cluster.supervision import control

BESIDE = "the Pods of node {} are simulated, not running"
NO_POLICY = "NetworkPolicies are stored but not enforced: {}"


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One Node object."""

    name: str
    ready: bool
    version: str
    """Version of its kubelet."""
    simulated: bool = False
    """Whether it only says that its Pods run."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A cluster at one moment."""

    name: str
    phase: str
    """absent | stopped | starting | running | degraded"""
    simulated: bool = False
    apiserver: str | None = None
    """URL from the host; None where the cluster does not exist."""
    node_address: str | None = None
    """Where the host reaches NodePorts."""
    kubeconfig: str | None = None
    nodes: tuple[NodeStatus, ...] = ()
    pods: dict[str, int] | None = None
    """Phase -> number; None where the API server does not answer. Beside a real node, only Pods
    that really run there (or have no node yet)."""
    simulated_pods: dict[str, int] | None = None
    """The same for Pods on a simulated node beside the real one; None where there is no such."""
    network_policies: str = "unknown"
    """enforced | not enforced | unknown (the cluster does not run)"""
    processes: tuple[ProcessState, ...] = ()
    memory: int = 0
    """Bytes in memory of all the cluster's processes, Pods included (sum of resident sets)."""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return asdict(self)


def of(layout: Layout) -> ClusterStatus:
    """Look at cluster `layout` now; starts nothing and waits for nothing."""
    known = identity.load(layout)
    if known is None:
        return ClusterStatus(layout.name, "absent")
    notes = (NOTICE,) if known.simulated else ()
    common: dict[str, Any] = {
        "simulated": known.simulated,
        "apiserver": known.server,
        "node_address": known.node_address,
        "kubeconfig": str(layout.kubeconfig),
    }
    if not control.alive(layout):
        return ClusterStatus(layout.name, "stopped", **common, notes=notes)
    found = state.read(layout.state)
    processes = state.processes(found)
    nodes, pods = _objects(layout)
    phase = _phase(found, processes, nodes)
    why = _why_open(found, simulated=known.simulated)
    beside = [] if known.simulated else [node.name for node in nodes if node.simulated]
    notes += (*((NO_POLICY.format(why),) if why else ()), *map(BESIDE.format, beside))
    return ClusterStatus(
        layout.name, phase, **common, nodes=nodes, processes=processes,
        pods=_phases(pods, lambda node: node not in beside),
        simulated_pods=_phases(pods, lambda node: node in beside) if beside else None,
        network_policies="not enforced" if why else "unknown" if why is None else "enforced",
        memory=_memory(layout, processes, simulated=known.simulated), notes=notes,
    )  # fmt: skip


def _why_open(found: dict[str, Any] | None, *, simulated: bool) -> str | None:
    """Why no policy is enforced; "" where they are, None where nobody can tell yet."""
    if simulated:
        return "no Pod has a network"
    reason = (found or {}).get("facts", {}).get("policies")
    return None if reason is None else str(reason)


def _phase(
    found: dict[str, Any] | None,
    processes: tuple[ProcessState, ...],
    nodes: tuple[NodeStatus, ...],
) -> str:
    if found is None or found.get("phase") != "running":
        return "starting"
    if any(process.phase == "failed" for process in processes):
        return "degraded"
    if not nodes or any(process.phase == "waiting" for process in processes):
        return "starting"
    return "running" if all(node.ready for node in nodes) else "degraded"


def _phases(
    pods: list[dict[str, Any]] | None, counts: Callable[[str], bool]
) -> dict[str, int] | None:
    if pods is None:
        return None
    there = (pod for pod in pods if counts(pod["spec"].get("nodeName", "")))
    return dict(Counter(pod["status"].get("phase", "Unknown") for pod in there))


def _objects(layout: Layout) -> tuple[tuple[NodeStatus, ...], list[dict[str, Any]] | None]:
    try:
        api = Api(layout.kubeconfig, timeout=3.0)
        nodes = api.get("/api/v1/nodes")["items"]
        pods = api.get("/api/v1/pods")["items"]
    except (ApiError, FileNotFoundError):
        return (), None
    found = tuple(
        NodeStatus(
            node["metadata"]["name"],
            readiness.is_ready(node),
            node["status"].get("nodeInfo", {}).get("kubeletVersion", ""),
            is_simulated(node),
        )
        for node in nodes
    )
    return found, pods


def _memory(layout: Layout, processes: tuple[ProcessState, ...], *, simulated: bool) -> int:
    if simulated:
        pids = {process.pid for process in processes if process.pid is not None}
    else:
        pids = cgroups.members(layout.cgroup)
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * page
        except OSError:
            continue  # ended while we looked
    return total
