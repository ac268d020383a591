"""Drains: stops the Pods of each component before what they need goes away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from mlops_infra.plan.stateful import COMPONENT_LABEL, STACK_LABEL
from mlops_infra.progress import Sink, step
from mlops_infra.teardown.cluster_access import TIMEOUT, ClusterAccess

PATIENCE = 60.0
"""Seconds for the Pods of one wave; the deletion that follows takes those that remain."""

_PERIOD = 0.5


def drain(access: ClusterAccess, stack: str, waves: Sequence[Sequence[str]], sink: Sink) -> None:
    """Scale every workload to nothing, clients first, and wait for its Pods to end.

    A database then closes its files after its last client has gone, whatever order the deletion
    takes inside one chart.
    """
    total = sum(len(wave) for wave in waves)
    with step(sink, "Draining", total=total, unit="components") as work:
        for wave in waves:
            selectors = [f"{STACK_LABEL}={stack},{COMPONENT_LABEL}={name}" for name in wave]
            work.note(", ".join(wave))
            for selector in selectors:
                _scale_down(access, selector)
            if left := _wait(access, selectors):
                work.note(f"still ending after {PATIENCE:.0f} s: {', '.join(left)}")
            work.advance(len(wave))


def _scale_down(access: ClusterAccess, selector: str) -> None:
    body = {"spec": {"replicas": 0}}
    apps = access.apps
    for each in apps.list_deployment_for_all_namespaces(
        label_selector=selector, _request_timeout=TIMEOUT
    ).items:
        _patch(apps.patch_namespaced_deployment_scale, each, body)
    for each in apps.list_stateful_set_for_all_namespaces(
        label_selector=selector, _request_timeout=TIMEOUT
    ).items:
        _patch(apps.patch_namespaced_stateful_set_scale, each, body)
    for each in access.batch.list_cron_job_for_all_namespaces(
        label_selector=selector, _request_timeout=TIMEOUT
    ).items:
        _patch(access.batch.patch_namespaced_cron_job, each, {"spec": {"suspend": True}})


def _patch(patch: Any, each: Any, body: dict[str, Any]) -> None:
    from kubernetes.client import ApiException

    try:
        patch(each.metadata.name, each.metadata.namespace, body, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != 404:  # it went away meanwhile
            raise


def _wait(access: ClusterAccess, selectors: Sequence[str]) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    while True:
        left = [
            f"{pod.metadata.namespace}/{pod.metadata.name}"
            for selector in selectors
            for pod in access.core.list_pod_for_all_namespaces(
                label_selector=selector, _request_timeout=TIMEOUT
            ).items
            if pod.status.phase not in {"Succeeded", "Failed"}
        ]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_PERIOD)
