"""The Pods that decide about a workload, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from mlops_infra.kube import pods as diagnosis
from mlops_infra.kube.claims import claim_troubles
from mlops_infra.kube.objects import (
    Object,
    annotation,
    condition,
    label,
    metadata,
    namespace_of,
    owned,
)
from mlops_infra.kube.reading import Reader, event_time, pods, select, warnings
from mlops_infra.kube.verdict import Trouble

_REFUSED_GRACE = 10.0
"""A quota may let the next try through."""
_COMING_GRACE = 120.0
"""Longer than the back-off of a controller that tried too early (5 ms, doubled at each try)."""
_COMING = re.compile(
    r'serviceaccount "[^"]*" not found|failed calling webhook|status unknown for quota'
)
"""What the same deployment is bringing: its parts are created side by side."""
_SEEN_PODS = 3
_POD_REVISION = "controller-revision-hash"
_REVISION = "deployment.kubernetes.io/revision"
_STUCK_EVENTS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")


def pod_troubles(reader: Reader, found: Iterable[Object]) -> list[Trouble]:
    """Troubles of Pods, of the volumes they claim, and what events tell of those that hang."""
    troubles: list[Trouble] = []
    for pod in [p for p in found if "deletionTimestamp" not in metadata(p)][:_SEEN_PODS]:
        own = diagnosis.troubles(pod)
        troubles.extend(own)
        if any(trouble.key.endswith("/schedule") for trouble in own):
            troubles.extend(claim_troubles(reader, pod))
        elif not own and _is_creating(pod):
            events = [e for e in warnings(reader, pod) if e.get("reason") in _STUCK_EVENTS]
            troubles.extend(
                diagnosis.mount_trouble(pod, str(e.get("reason")), str(e.get("message", "")))
                for e in events[:1]
            )
    return troubles


def refusals(
    reader: Reader, live: Object, found: list[Object], *, since: str = ""
) -> list[Trouble]:
    """Why the controller could not even create Pods: quota, admission, a missing account.

    Args:
        reader: the cluster.
        live: the workload.
        found: its Pods; events of the past do not count where there are any.
        since: RFC 3339 time (UTC, `Z`) before which events do not count: a retry after the cause
            is gone must not be judged by what was said before it.
    """
    refused = condition(live, "ReplicaFailure")
    if refused.get("status") == "True":
        if since and str(refused.get("lastTransitionTime", "")) < since:
            text = _newest_refusal(reader, _replica_sets(reader, live), since)
        else:
            text = str(refused.get("message", ""))
    elif found or live.get("kind") == "Deployment":
        return []
    else:
        text = _newest_refusal(reader, [live], since)
    if not text:
        return []
    grace = _COMING_GRACE if _COMING.search(text) else _REFUSED_GRACE
    message = f"its Pods cannot be created: {text}"
    return [Trouble("create", message, grace, reason="FailedCreate", detail=message)]


def _newest_refusal(reader: Reader, objects: Iterable[Object], since: str) -> str:
    events = [
        event
        for obj in objects
        for event in warnings(reader, obj)
        if event.get("reason") == "FailedCreate" and event_time(event) >= since
    ]
    newest = max(events, key=event_time, default={})
    return str(newest.get("message", ""))


def _is_creating(pod: Object) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    held = [(s.get("state") or {}).get("waiting") or {} for s in statuses]
    return bool(condition(pod, "PodScheduled")) and any(
        state.get("reason") in {"ContainerCreating", "PodInitializing"} for state in held
    )


def _labels(obj: Object) -> dict[str, str]:
    found = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels")
    return dict(found or {})


def _replica_sets(reader: Reader, live: Object) -> list[Object]:
    """The newest ReplicaSet of a Deployment; a ReplicaSet itself."""
    if live.get("kind") != "Deployment":
        return [live]
    path = f"/apis/apps/v1/namespaces/{namespace_of(live)}/replicasets"
    revision = annotation(live, _REVISION)
    sets = owned(select(reader, path, _labels(live)), live)
    return [each for each in sets if annotation(each, _REVISION) == revision]


def _deployment_pods(reader: Reader, live: Object) -> list[Object]:
    """Pods of the newest ReplicaSet only: the older ones' troubles are history."""
    newest = _replica_sets(reader, live)
    found = pods(reader, namespace_of(live), _labels(live)) if newest else []
    return owned(found, newest[0]) if newest else []


def _stateful_pods(reader: Reader, live: Object) -> list[Object]:
    newest = (live.get("status") or {}).get("updateRevision")
    return [pod for pod in _direct_pods(reader, live) if label(pod, _POD_REVISION) == newest]


def _daemon_pods(reader: Reader, live: Object) -> list[Object]:
    """Pods of the newest revision, as its ControllerRevision tells."""
    path = f"/apis/apps/v1/namespaces/{namespace_of(live)}/controllerrevisions"
    revisions = owned(select(reader, path, _labels(live)), live)
    newest = max(revisions, key=lambda revision: int(revision.get("revision", 0)), default={})
    wanted = label(newest, _POD_REVISION)
    return [pod for pod in _direct_pods(reader, live) if label(pod, _POD_REVISION) == wanted]


def _direct_pods(reader: Reader, live: Object) -> list[Object]:
    return owned(pods(reader, namespace_of(live), _labels(live)), live)


def _itself(_reader: Reader, live: Object) -> list[Object]:
    return [live]


PODS_OF: dict[tuple[str, str], Callable[[Reader, Object], list[Object]]] = {
    ("apps", "Deployment"): _deployment_pods,
    ("apps", "StatefulSet"): _stateful_pods,
    ("apps", "DaemonSet"): _daemon_pods,
    ("apps", "ReplicaSet"): _direct_pods,
    ("batch", "Job"): _direct_pods,
    ("", "Pod"): _itself,
}
"""How to find the Pods that decide about a workload, by group and kind."""
