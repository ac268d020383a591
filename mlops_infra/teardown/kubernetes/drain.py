"""Drains: stops the Pods of each component before what they need goes away."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mlops_infra import contract
from mlops_infra.kube import Cluster
from mlops_infra.kube.objects import name_of, namespace_of
from mlops_infra.progress import Sink, step
from mlops_infra.teardown.kubernetes.access import patch

PATIENCE = 60.0
"""Seconds for the Pods of one wave; the deletion that follows takes those that remain."""

_PERIOD = 0.5
_STOPPED = (
    ("/apis/apps/v1", "deployments", {"spec": {"replicas": 0}}),
    ("/apis/apps/v1", "statefulsets", {"spec": {"replicas": 0}}),
    ("/apis/batch/v1", "cronjobs", {"spec": {"suspend": True}}),
)


def drain(cluster: Cluster, stack: str, waves: Sequence[Sequence[str]], sink: Sink) -> None:
    """Scale every workload to nothing, clients first, and wait for its Pods to end.

    A database then closes its files after its last client has gone, whatever order the deletion
    takes inside one chart.

    Raises:
        ApiError: the cluster, or an admission webhook, refuses.
    """
    total = sum(len(wave) for wave in waves)
    with step(sink, "Draining", total=total, unit="components") as work:
        for wave in waves:
            selectors = [
                f"{contract.STACK_LABEL}={stack},{contract.COMPONENT_LABEL}={name}" for name in wave
            ]
            work.note(", ".join(wave))
            for selector in selectors:
                _stop(cluster, selector)
            if left := _wait(cluster, selectors):
                work.note(f"still ending after {PATIENCE:.0f} s: {', '.join(left)}")
            work.advance(len(wave))


def _stop(cluster: Cluster, selector: str) -> None:
    for api, plural, stopped in _STOPPED:
        for each in cluster.get(f"{api}/{plural}", {"labelSelector": selector})["items"]:
            path = f"{api}/namespaces/{namespace_of(each)}/{plural}/{name_of(each)}"
            patch(cluster, path, stopped)


def _wait(cluster: Cluster, selectors: Sequence[str]) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    while True:
        left = [
            f"{namespace_of(pod)}/{name_of(pod)}"
            for selector in selectors
            for pod in cluster.get("/api/v1/pods", {"labelSelector": selector})["items"]
            if (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
        ]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_PERIOD)
