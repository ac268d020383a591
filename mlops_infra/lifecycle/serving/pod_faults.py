"""Why Pods of a model do not start, when waiting longer will not help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_infra.lifecycle.services.kubernetes_objects import EVENT, POD, Cluster

_HOPELESS = frozenset(
    {"ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"}
)
_CRASHES = 2
"""Restarts after which a crash counts as the way it is."""


def faults(cluster: Cluster, namespace: str, selector: str) -> list[str]:
    """What keeps the Pods from starting, one sentence each; empty while there is hope."""
    pods = cluster.list(POD, namespace, selector)
    told = [f"{pod['metadata']['name']}: {why}" for pod in pods for why in _of_pod(pod)]
    if not pods:
        owner = selector.partition("=")[2]
        told += _refused(cluster, namespace, owner)
    return told


def _of_pod(pod: Mapping[str, Any]) -> Iterator[str]:
    status = pod.get("status") or {}
    containers = (*(status.get("initContainerStatuses") or ()),
                  *(status.get("containerStatuses") or ()))  # fmt: skip
    for each in containers:
        state = each.get("state") or {}
        waiting = state.get("waiting") or {}
        ended = state.get("terminated") or (each.get("lastState") or {}).get("terminated") or {}
        if waiting.get("reason") in _HOPELESS:
            yield f"{each['name']}: {waiting['reason']}, {waiting.get('message', '')}".rstrip(", ")
        elif each.get("restartCount", 0) >= _CRASHES and ended.get("exitCode"):
            last = str(ended.get("message") or "").strip().rpartition("\n")[2]
            why = f"{each['name']} ended with {ended['exitCode']} ({ended.get('reason')})"
            yield f"{why}: {last}" if last else why


def _refused(cluster: Cluster, namespace: str, owner: str) -> list[str]:
    """Pods that were never made: a quota or Pod Security said no to the ReplicaSet."""
    return [
        str(event.get("message"))
        for event in cluster.list(EVENT, namespace)
        if event.get("reason") == "FailedCreate"
        and (event.get("involvedObject") or {}).get("kind") == "ReplicaSet"
        and str((event.get("involvedObject") or {}).get("name")).startswith(f"{owner}-")
    ][-1:]
