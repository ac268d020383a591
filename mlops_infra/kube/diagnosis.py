"""Why workloads are not becoming ready right now, as data.

for cause in causes(cluster, "mlops", kind="Deployment", name="mlflow"):
    print(cause)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlops_infra import contract
from mlops_infra.kube.claims import claim_verdict
from mlops_infra.kube.cluster import Cluster
from mlops_infra.kube.failures import ApiError
from mlops_infra.kube.objects import Object, label, metadata, name_of
from mlops_infra.kube.pods import remarks
from mlops_infra.kube.rollout import RULES
from mlops_infra.kube.verdict import Trouble
from mlops_infra.kube.workloads import PODS_OF, pod_troubles, refusals

LOG_LINES = 10
_SHORTEST_SECRET = 6
"""Shorter values would black out ordinary words."""
_LONGEST_WORD = 12
"""Single words up to this length stay in messages of the cluster itself, which never hold a
password: a user name like `mlflow` is also part of a Pod's name. From logs all go."""
_WORKLOADS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Pod": "/api/v1/namespaces/{}/pods",
}
_GROUPS = {"Job": "batch", "Pod": ""}
_APPLICATION = contract.NAME_LABEL


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that keeps a workload from becoming ready."""

    workload: str
    """`Deployment mlops/mlflow`."""
    namespace: str
    pod: str
    """Empty where no Pod could be made."""
    container: str
    """Empty where the trouble is the Pod's."""
    reason: str
    """Kubernetes' own word: `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`…"""
    message: str
    patience: float
    """Seconds that this may last and still heal by itself; 0 where it cannot, infinite for a mere
    remark that explains a wait which has run out."""
    key: str
    """The same trouble has the same key at every look."""
    log: tuple[str, ...] = ()
    """The container's last lines."""

    def __str__(self) -> str:
        where = f"Pod {self.namespace}/{self.pod}" if self.pod else self.workload
        where += f", container {self.container}" if self.container else ""
        return "\n".join([f"{where}: {self.message}", *(f"    | {line}" for line in self.log)])


def causes(
    cluster: Cluster, namespace: str, *, kind: str = "", name: str = "", since: str = ""
) -> list[Cause]:
    """Why a workload, or any of a namespace, is not becoming ready right now.

    One look, a few requests, no waiting: whoever waits calls this again, and gives up when a cause
    with one `key` has been there for longer than its `patience`. No value of a Secret of the
    namespace is in the texts.

    Args:
        cluster: the cluster.
        namespace: the workload's namespace.
        kind: `Deployment`, `StatefulSet`, `DaemonSet`, `ReplicaSet`, `Job`, `Pod`,
            `PersistentVolumeClaim` or `Service`; of any other kind, the Pods that carry `name` as
            their `app.kubernetes.io/name`. Empty for all workloads of the namespace.
        name: the workload's name, with `kind`.
        since: RFC 3339 time (UTC, ends in `Z`): events before it do not count. Give the moment at
            which the wait began, so that a retry is not judged by what was said before.

    Returns:
        The causes, those beyond hope first; empty where all is well.

    Raises:
        ApiError: the cluster refuses.
        UnreachableError: the cluster does not answer.
    """
    found: list[tuple[str, Trouble]] = []
    for workload, live in _workloads(cluster, namespace, kind, name):
        found += [(workload, trouble) for trouble in _troubles(cluster, live, since)]
    if not found:
        return []
    secrets = _secrets(cluster, namespace)
    found.sort(key=lambda each: each[1].grace)
    return [_cause(cluster, namespace, workload, each, secrets) for workload, each in found]


def _workloads(
    cluster: Cluster, namespace: str, kind: str, name: str
) -> Iterator[tuple[str, list[Object]]]:
    """Title of each workload and what to look at for it."""
    if kind in _WORKLOADS or kind in {"PersistentVolumeClaim", "Service"}:
        path = _WORKLOADS.get(kind, f"/api/v1/namespaces/{{}}/{kind.lower()}s").format(namespace)
        live = cluster.find(f"{path}/{name}")
        if live is None:
            return
        live["kind"] = kind
        if kind == "Service":
            selector = (live.get("spec") or {}).get("selector") or {}
            yield f"Service {namespace}/{name}", _pods(cluster, namespace, selector)
        else:
            yield f"{kind} {namespace}/{name}", [live]
    elif kind:
        yield f"{kind} {namespace}/{name}", _pods(cluster, namespace, {_APPLICATION: name})
    else:
        yield from _all_workloads(cluster, namespace)


def _all_workloads(cluster: Cluster, namespace: str) -> Iterator[tuple[str, list[Object]]]:
    """Those at the top: a ReplicaSet of a Deployment is looked at with it."""
    for each, path in _WORKLOADS.items():
        for live in cluster.get(path.format(namespace))["items"]:
            if not metadata(live).get("ownerReferences"):
                live["kind"] = each
                yield f"{each} {namespace}/{name_of(live)}", [live]


def _pods(cluster: Cluster, namespace: str, labels: dict[str, str]) -> list[Object]:
    if not labels:
        return []
    items = cluster.get(_WORKLOADS["Pod"].format(namespace))["items"]
    mine = [pod for pod in items if all(label(pod, k) == v for k, v in labels.items())]
    return [{**pod, "kind": "Pod"} for pod in mine]


def _troubles(cluster: Cluster, lives: list[Object], since: str) -> Iterator[Trouble]:
    for live in lives:
        kind = str(live["kind"])
        if kind == "PersistentVolumeClaim":
            yield from claim_verdict(cluster, live).troubles
            continue
        key = (_GROUPS.get(kind, "apps"), kind)
        verdict = RULES[key](live)
        if verdict.ready:
            continue
        pods = PODS_OF[key](cluster, live)
        found = pod_troubles(cluster, pods)
        known = {trouble.subject for trouble in found}
        yield from found
        yield from (t for pod in pods for t in remarks(pod) if t.subject not in known)
        yield from refusals(cluster, live, pods, since=since)
        yield from verdict.troubles


def _cause(
    cluster: Cluster, namespace: str, workload: str, trouble: Trouble, secrets: tuple[str, ...]
) -> Cause:
    pod, container = trouble.subject
    telling = tuple(s for s in secrets if not (s.isalpha() and len(s) <= _LONGEST_WORD))
    return Cause(
        workload=workload,
        namespace=namespace,
        pod=pod,
        container=container,
        reason=trouble.reason or "NotReady",
        message=_clean(trouble.detail or trouble.message, telling),
        patience=trouble.grace,
        key=f"{workload}: {trouble.key}",
        log=tuple(_clean(line, secrets) for line in _log(cluster, namespace, trouble)),
    )


def _log(cluster: Cluster, namespace: str, trouble: Trouble) -> list[str]:
    """Last lines of a container: of its previous run if it has crashed."""
    if trouble.pod is None:
        return []
    for previous in (True, False):
        try:
            text = cluster.log(namespace, *trouble.pod, previous=previous, lines=LOG_LINES)
        except ApiError as error:
            return [f"(no log: {error.message})"]
        if text.strip():
            return text.rstrip().splitlines()
    return []


def _secrets(cluster: Cluster, namespace: str) -> tuple[str, ...]:
    """Every text that a Secret of the namespace holds, the longest first."""
    try:
        items = cluster.get(f"/api/v1/namespaces/{namespace}/secrets")["items"]
    except ApiError as error:
        if error.status == 403:
            return ()  # who may not read Secrets learns from a log what its reader may learn
        raise
    found: set[str] = set()
    for secret in items:
        for encoded in (secret.get("data") or {}).values():
            found.update(_texts(encoded))
    return tuple(sorted(found, key=len, reverse=True))


def _texts(encoded: str) -> Iterable[str]:
    try:
        value = base64.b64decode(encoded).decode(errors="replace")
    except binascii.Error:
        value = ""
    texts = (encoded, value, *value.splitlines())
    return (text for text in texts if len(text) >= _SHORTEST_SECRET)


def _clean(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
