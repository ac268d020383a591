"""Readiness of built-in kinds as told by the object's own status. Pure.

The rules are those of `kubectl rollout status` and of the official provider.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlops_infra.kube.objects import Object, condition, holds, metadata
from mlops_infra.kube.verdict import READY, Verdict, failed, waiting


def _status(obj: Object) -> dict[str, Any]:
    return obj.get("status") or {}


def _spec(obj: Object) -> dict[str, Any]:
    return obj.get("spec") or {}


def _count(fields: dict[str, Any], key: str) -> int:
    return int(fields.get(key) or 0)


def observed(obj: Object) -> bool:
    """Whether the controller has seen the newest change; before that, status is about the past.

    Jobs and Pods do not tell, and hardly ever change.
    """
    return obj.get("kind") in {"Job", "Pod"} or _count(
        _status(obj), "observedGeneration"
    ) >= _count(metadata(obj), "generation")


def deployment(obj: Object) -> Verdict:
    """All replicas updated and available, none of the old ones left."""
    spec, status = _spec(obj), _status(obj)
    if spec.get("paused"):
        return READY
    if not observed(obj):
        return waiting("waiting for the Deployment controller")
    progressing = condition(obj, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return failed(f"no progress within its deadline: {progressing.get('message', '')}")
    wanted = spec.get("replicas", 1)
    updated, available = _count(status, "updatedReplicas"), _count(status, "availableReplicas")
    if updated < wanted:
        return waiting(f"{updated} of {wanted} Pods updated")
    if _count(status, "replicas") > updated:
        return waiting(f"{_count(status, 'replicas') - updated} old Pods to be stopped")
    if available < wanted:
        return waiting(f"{available} of {wanted} Pods available")
    return READY


def stateful_set(obj: Object) -> Verdict:
    """All replicas ready and, unless updates are by hand, of the newest revision."""
    spec, status = _spec(obj), _status(obj)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return READY
    if not observed(obj):
        return waiting("waiting for the StatefulSet controller")
    wanted = spec.get("replicas", 1)
    ready = _count(status, "readyReplicas")
    if ready < wanted:
        return waiting(f"{ready} of {wanted} Pods ready")
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    current = status.get("currentRevision") == status.get("updateRevision")
    updated = wanted if current else _count(status, "updatedReplicas")
    if updated < wanted - partition:
        return waiting(f"{updated} of {wanted - partition} Pods updated")
    return READY


def daemon_set(obj: Object) -> Verdict:
    """A Pod available on every node that should have one."""
    if (_spec(obj).get("updateStrategy") or {}).get("type") == "OnDelete":
        return READY
    if not observed(obj):
        return waiting("waiting for the DaemonSet controller")
    status = _status(obj)
    wanted = _count(status, "desiredNumberScheduled")
    for key, word in (("updatedNumberScheduled", "updated"), ("numberAvailable", "available")):
        if _count(status, key) < wanted:
            return waiting(f"{_count(status, key)} of {wanted} Pods {word}")
    return READY


def replicas(obj: Object) -> Verdict:
    """ReplicaSet and ReplicationController: all replicas available."""
    wanted = _spec(obj).get("replicas", 1)
    available = _count(_status(obj), "availableReplicas")
    if not observed(obj) or available < wanted:
        return waiting(f"{available} of {wanted} Pods available")
    return READY


def job(obj: Object) -> Verdict:
    """Completed; a suspended Job is not waited for."""
    ended = condition(obj, "Failed")
    if ended.get("status") == "True":
        return failed(f"the Job failed: {ended.get('reason', '')}: {ended.get('message', '')}")
    if holds(obj, "Complete") or _spec(obj).get("suspend"):
        return READY
    status = _status(obj)
    wanted = _spec(obj).get("completions") or 1
    return waiting(f"{_count(status, 'succeeded')} of {wanted} Pods completed")


def pod(obj: Object) -> Verdict:
    """Ready, or run to its end."""
    phase = _status(obj).get("phase")
    if phase == "Failed":
        return failed(f"the Pod failed: {_status(obj).get('reason') or 'a container exited'}")
    if phase == "Succeeded" or holds(obj, "Ready"):
        return READY
    return waiting(f"Pod is {phase or 'Pending'}")


def namespace(obj: Object) -> Verdict:
    """Active."""
    phase = _status(obj).get("phase")
    return READY if phase == "Active" else waiting(f"phase is {phase}")


def definition(obj: Object) -> Verdict:
    """A CustomResourceDefinition that the API server serves."""
    names = condition(obj, "NamesAccepted")
    if names.get("status") == "False":
        return failed(f"its names were refused: {names.get('message', '')}")
    return READY if holds(obj, "Established") else waiting("not Established yet")


def api_service(obj: Object) -> Verdict:
    """An aggregated API that answers."""
    found = condition(obj, "Available")
    if found.get("status") == "True":
        return READY
    return waiting(f"API not available: {found.get('message') or found.get('reason') or 'new'}")


def volume(obj: Object) -> Verdict:
    """A PersistentVolume that can be or is claimed."""
    phase = _status(obj).get("phase")
    if phase == "Failed":
        return failed(f"the volume failed: {_status(obj).get('message', '')}")
    return READY if phase in {"Available", "Bound"} else waiting(f"phase is {phase or 'Pending'}")


RULES: dict[tuple[str, str], Callable[[Object], Verdict]] = {
    ("apps", "Deployment"): deployment,
    ("apps", "StatefulSet"): stateful_set,
    ("apps", "DaemonSet"): daemon_set,
    ("apps", "ReplicaSet"): replicas,
    ("", "ReplicationController"): replicas,
    ("batch", "Job"): job,
    ("", "Pod"): pod,
    ("", "Namespace"): namespace,
    ("", "PersistentVolume"): volume,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    ("apiregistration.k8s.io", "APIService"): api_service,
}
"""Rules by group and kind; a kind without one is ready when it exists."""
