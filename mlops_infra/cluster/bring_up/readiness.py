"""Waiting for a cluster to become usable, and giving up early when it will not.

A process that keeps ending is reported within seconds, with the last lines of its log.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

from mlops_infra.cluster.api.client import Api, ApiError
from mlops_infra.cluster.control_plane.addons import SYSTEM
from mlops_infra.cluster.control_plane.simulated_nodes import is_simulated
from mlops_infra.cluster.instance import logs, state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import preflight
from mlops_infra.cluster.supervision import control
from mlops_infra.errors import MlopsError, OperationFailed

HOPELESS = 3
"""A process that ended so often during a start is not coming up."""
PATIENCE = {"supervisor": 20.0, "control plane": 90.0, "node": 90.0, "DNS": 90.0,
            "metrics": 60.0}  # fmt: skip
"""Seconds. A loaded machine with two cores stays far below; a hang is told apart from slowness."""
EVERY = 0.05


def until(layout: Layout, what: str, done: Callable[[], bool]) -> None:
    """Return once `done`; look after the cluster's processes meanwhile.

    Raises:
        OperationFailed: a process keeps ending, the supervisor is dead, or `PATIENCE` ran out.
    """
    deadline = time.monotonic() + PATIENCE[what]
    while not done():
        broken(layout)
        if time.monotonic() > deadline:
            raise _late(layout, what)
        time.sleep(EVERY)


def broken(layout: Layout) -> None:
    """Raise OperationFailed when the supervisor or one of its processes cannot go on."""
    found = state.read(layout.state)
    if found is not None and found.get("phase") == "failed":
        raise failure(layout, "supervisor", str(found.get("error")))
    for process in state.processes(found):
        if process.streak >= HOPELESS:
            what = f"{process.name} ended {process.streak} times in a row ({process.last})"
            raise failure(layout, process.name, what)
    if control.outer(layout) is None:
        raise failure(layout, "supervisor", "the cluster's supervisor ended")


def failure(layout: Layout, process: str, what: str) -> MlopsError:
    """The one error for a process that does not run, with what its log says."""
    log = layout.log(process)
    lines = logs.telling(log)
    text = "\n".join([what, *(f"    {line}" for line in lines)])
    if any("no space left on device" in line.lower() for line in [what, *lines]):
        text = f"the disk is full: {text}"
        return OperationFailed(
            text, where=str(layout.folder), hint="free some space, then start the cluster again"
        )
    if any("too many open files" in line.lower() for line in lines):
        return OperationFailed(
            text,
            where=str(log),
            hint="all inotify instances of this user are in use: stop some programs, or: "
            "sysctl fs.inotify.max_user_instances=1024",
        )
    return OperationFailed(
        text,
        where=str(log),
        hint=f"read the log, or start over: mlops-infra cluster delete {layout.name}",
    )


def _late(layout: Layout, what: str) -> MlopsError:
    preflight.room(layout.folder, 1 << 20)
    listed = state.processes(state.read(layout.state))
    states = ", ".join(f"{one.name} {one.phase}" for one in listed) or "nothing started yet"
    suspects = {"control plane": "kube-apiserver", "node": "kubelet", "DNS": "kubelet"}
    reason = f"{what} not ready after {PATIENCE[what]:.0f} s ({states})"
    return failure(layout, suspects.get(what, "supervisor"), reason)


def control_plane(api: Api) -> bool:
    """Whether the API server says that it is ready, its start hooks included."""
    try:
        return api.text("/readyz", timeout=2.0) == "ok"
    except ApiError:
        return False


def node(api: Api, name: str, since: float) -> bool:
    """Whether the node has reported Ready since then: the database remembers older reports."""
    try:
        found = api.get(f"/api/v1/nodes/{name}")
    except ApiError:
        return False
    return is_ready(found) and any(
        _seconds(condition.get("lastHeartbeatTime")) >= int(since)
        for condition in found["status"]["conditions"]
        if condition["type"] == "Ready"
    )


def is_ready(node: dict[str, Any]) -> bool:
    """The condition Ready of a Node object."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def dns(api: Api, since: float) -> bool:
    """Whether a CoreDNS Pod of the current Deployment is Ready, started since then."""
    try:
        found = api.get(f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/coredns")
        pods = api.get(f"/api/v1/namespaces/{SYSTEM}/pods?labelSelector=k8s-app%3Dkube-dns")[
            "items"
        ]
    except ApiError:
        return False
    status, meta = found.get("status", {}), found["metadata"]
    current = status.get("observedGeneration", 0) >= meta["generation"]
    return bool(
        current and status.get("updatedReplicas", 0) >= 1 and any(fresh(pod, since) for pod in pods)
    )


def stale(api: Api, since: float) -> tuple[str, ...]:
    """Pods that should run and have not come back since then, as `namespace/name`."""
    try:
        nodes = api.get("/api/v1/nodes")["items"]
        pods = api.get("/api/v1/pods")["items"]
        slices = api.get("/apis/discovery.k8s.io/v1/endpointslices")["items"]
    except ApiError:
        return ("(no answer)",)
    if any(not is_simulated(node) for node in nodes):
        # beside a real node, a simulated Pod keeps saying what it said before
        played = {node["metadata"]["name"] for node in nodes if is_simulated(node)}
        mortal = [pod for pod in pods if pod["spec"].get("nodeName") not in played]
    else:
        mortal = pods
    waiting = {
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in mortal
        if pod["status"].get("phase") in {"Running", "Pending"}
        and not pod["metadata"].get("deletionTimestamp")
        and not fresh(pod, since)
    }
    return tuple(sorted(waiting | _misled(pods, slices)))


def _misled(pods: list[dict[str, Any]], slices: list[dict[str, Any]]) -> set[str]:
    """Pods whose Services still send to the address of an earlier run."""
    now = {pod["metadata"]["uid"]: pod["status"].get("podIP") for pod in pods}
    return {
        f"{found['metadata']['namespace']}/{target['name']}"
        for found in slices
        for endpoint in found.get("endpoints") or ()
        if (target := endpoint.get("targetRef") or {}).get("kind") == "Pod"
        and now.get(target["uid"]) not in endpoint["addresses"]
    }


def fresh(pod: dict[str, Any], since: float) -> bool:
    """Whether a Pod is Ready with containers that were started since then."""
    status = pod.get("status", {})
    ready = any(
        c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])
    )
    return ready and all(
        _seconds(container.get("state", {}).get("running", {}).get("startedAt")) >= int(since)
        for container in status.get("containerStatuses", [])
    )


def _seconds(stamp: str | None) -> float:
    return datetime.datetime.fromisoformat(stamp).timestamp() if stamp else 0.0
