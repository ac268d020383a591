"""Is an object ready, and if not, what is in its way: its status, its Pods, what it refers to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from mlops_infra.kubeprovider import pods as diagnosis
from mlops_infra.kubeprovider.claims import claim_troubles, claim_verdict
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import Object, annotation, is_true, metadata, namespace_of
from mlops_infra.kubeprovider.rollout import RULES, condition, observed
from mlops_infra.kubeprovider.routes import ingress_verdict, service_verdict
from mlops_infra.kubeprovider.verdict import Trouble, Verdict, waiting
from mlops_infra.kubeprovider.waitfor import ANNOTATION, evaluate, parse

SKIP = "pulumi.com/skipAwait"

_REFUSED_GRACE = 10.0
"""A quota may let the next try through."""
_COMING_GRACE = 120.0
"""Longer than the back-off of a controller that tried too early (5 ms, doubled at each try)."""
_COMING = re.compile(
    r'serviceaccount "[^"]*" not found|failed calling webhook|status unknown for quota'
)
"""What the same deployment is bringing: its parts are created side by side."""
_SEEN_PODS = 3
_REVISION = "controller-revision-hash"
_STUCK_EVENTS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")

Look = Callable[[Object], Verdict]


def look_for(cluster: Cluster, obj: Object) -> Look | None:
    """How to tell whether an object of this kind is ready; None where existing is enough.

    Raises:
        ProviderError: its annotation `pulumi.com/waitFor` is not understood.
    """
    if is_true(obj, SKIP):
        return None
    expression = annotation(obj, ANNOTATION)
    if expression:
        checks = parse(expression)
        return lambda live: evaluate(live, checks)
    key = (str(obj.get("apiVersion", "")).rpartition("/")[0], str(obj.get("kind", "")))
    special: dict[tuple[str, str], Callable[[Cluster, Object], Verdict]] = {
        ("", "PersistentVolumeClaim"): claim_verdict,
        ("", "Service"): lambda c, live: service_verdict(c, live, lambda p: pod_troubles(c, p)),
        ("networking.k8s.io", "Ingress"): ingress_verdict,
    }
    if key in special:
        return lambda live: special[key](cluster, live)
    rule = RULES.get(key)
    if rule is None:
        return None
    if key in PODS_OF:
        return lambda live: _workload(cluster, live, rule, PODS_OF[key])
    return rule


def _workload(
    cluster: Cluster,
    live: Object,
    rule: Callable[[Object], Verdict],
    pods_of: Callable[[Cluster, Object], list[Object]],
) -> Verdict:
    verdict = rule(live)
    if (
        verdict.ready
        or not observed(live)
        or any(trouble.grace == 0 for trouble in verdict.troubles)
    ):
        return verdict
    pods = pods_of(cluster, live)
    found = [*pod_troubles(cluster, pods), *refusals(cluster, live, pods)]
    detail = diagnosis.progress(pods)
    message = f"{verdict.message}; {detail}" if detail else verdict.message
    return waiting(message, *verdict.troubles, *found)


def pod_troubles(cluster: Cluster, pods: Iterable[Object]) -> list[Trouble]:
    """Troubles of Pods, of the volumes they claim, and what events tell of those that hang."""
    found: list[Trouble] = []
    for pod in [p for p in pods if "deletionTimestamp" not in metadata(p)][:_SEEN_PODS]:
        own = diagnosis.troubles(pod)
        found.extend(own)
        if any(trouble.key.endswith("/schedule") for trouble in own):
            found.extend(claim_troubles(cluster, pod))
        elif not own and _is_creating(pod):
            events = [e for e in cluster.warnings(pod) if e.get("reason") in _STUCK_EVENTS]
            found.extend(diagnosis.mount_trouble(pod, e.get("message", "")) for e in events[:1])
    return found


def _is_creating(pod: Object) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    held = [(s.get("state") or {}).get("waiting") or {} for s in statuses]
    return bool(condition(pod, "PodScheduled")) and any(
        state.get("reason") in {"ContainerCreating", "PodInitializing"} for state in held
    )


def refusals(cluster: Cluster, live: Object, pods: list[Object]) -> list[Trouble]:
    """Why the controller could not even create Pods: quota, admission, a missing account."""
    refused = condition(live, "ReplicaFailure")
    if refused.get("status") == "True":
        text = str(refused.get("message", ""))
    elif pods or live.get("kind") == "Deployment":
        return []
    else:
        events = [e for e in cluster.warnings(live) if e.get("reason") == "FailedCreate"]
        if not events:
            return []
        text = str(events[0].get("message", ""))
    grace = _COMING_GRACE if _COMING.search(text) else _REFUSED_GRACE
    return [Trouble("create", f"its Pods cannot be created: {text}", grace)]


def _labels(obj: Object) -> dict[str, str]:
    found = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels")
    return dict(found or {})


def _owned(objects: Iterable[Object], owner: Object) -> list[Object]:
    uid = metadata(owner).get("uid")
    return [
        obj
        for obj in objects
        if any(ref.get("uid") == uid for ref in metadata(obj).get("ownerReferences") or [])
    ]


def _deployment_pods(cluster: Cluster, live: Object) -> list[Object]:
    """Pods of the newest ReplicaSet only: the older ones' troubles are history."""
    space, labels = namespace_of(live), _labels(live)
    sets = cluster.select(f"/apis/apps/v1/namespaces/{space}/replicasets", labels)
    revision = annotation(live, "deployment.kubernetes.io/revision")
    newest = [
        s
        for s in _owned(sets, live)
        if annotation(s, "deployment.kubernetes.io/revision") == revision
    ]
    return _owned(cluster.pods(space, labels), newest[0]) if newest else []


def _stateful_pods(cluster: Cluster, live: Object) -> list[Object]:
    newest = (live.get("status") or {}).get("updateRevision")
    return [pod for pod in _direct_pods(cluster, live) if _label(pod, _REVISION) == newest]


def _daemon_pods(cluster: Cluster, live: Object) -> list[Object]:
    """Pods of the newest revision, as its ControllerRevision tells."""
    space = namespace_of(live)
    path = f"/apis/apps/v1/namespaces/{space}/controllerrevisions"
    revisions = _owned(cluster.select(path, _labels(live)), live)
    newest = max(revisions, key=lambda revision: int(revision.get("revision", 0)), default={})
    wanted = _label(newest, _REVISION)
    return [pod for pod in _direct_pods(cluster, live) if _label(pod, _REVISION) == wanted]


def _label(obj: Object, key: str) -> str:
    return str((metadata(obj).get("labels") or {}).get(key, ""))


def _direct_pods(cluster: Cluster, live: Object) -> list[Object]:
    return _owned(cluster.pods(namespace_of(live), _labels(live)), live)


def _itself(_cluster: Cluster, live: Object) -> list[Object]:
    return [live]


PODS_OF: dict[tuple[str, str], Callable[[Cluster, Object], list[Any]]] = {
    ("apps", "Deployment"): _deployment_pods,
    ("apps", "StatefulSet"): _stateful_pods,
    ("apps", "DaemonSet"): _daemon_pods,
    ("apps", "ReplicaSet"): _direct_pods,
    ("batch", "Job"): _direct_pods,
    ("", "Pod"): _itself,
}
"""How to find the Pods that decide about a workload, by group and kind."""
