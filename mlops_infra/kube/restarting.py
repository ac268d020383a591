"""Pods that an earlier run left broken, started afresh so that this run sees the truth at once."""

from __future__ import annotations

from http import HTTPStatus

from mlops_infra.kube import pods as diagnosis
from mlops_infra.kube.cluster import Cluster
from mlops_infra.kube.failures import ApiError
from mlops_infra.kube.objects import Object, holds, label, metadata, name_of, namespace_of
from mlops_infra.kube.workloads import PODS_OF

_PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments/{}",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets/{}",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets/{}",
}
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def restart_stuck_pods(
    cluster: Cluster, kind: str, namespace: str, name: str, *, before: str
) -> list[str]:
    """Delete Pods of a workload that sit in a back-off; its controller makes new ones.

    The kubelet backs off for up to five minutes, so a cause that has been removed since (an image
    loaded, a database come up) would go unseen. A StatefulSet never replaces a Pod of an earlier
    revision that is not Ready, whatever keeps it; the Kubernetes manual says to delete it by hand.

    Args:
        cluster: where.
        kind: of the workload; kinds that make no Pods of their own are left alone.
        namespace: the workload's.
        name: the workload's.
        before: RFC 3339 time (UTC, `Z`); a Pod in a back-off that was made later is one that is
            waited for. A Pod of an earlier revision never is, however young it is.

    Returns:
        Names of the deleted Pods.

    Raises:
        ApiError: the cluster refuses.
        UnreachableError: the cluster does not answer.
    """
    path = _PATHS.get(kind)
    live = cluster.find(path.format(namespace, name)) if path else None
    if live is None:
        return []
    # a StatefulSet keeps broken Pods of its earlier revisions
    owner = "ReplicaSet" if kind == "StatefulSet" else kind
    found = [
        pod
        for pod in PODS_OF["apps", owner](cluster, {**live, "kind": kind})
        if not metadata(pod).get("deletionTimestamp")
        and (_is_left_behind(live, pod) or (_is_older(pod, before) and _is_stuck(pod)))
    ]
    return [name_of(pod) for pod in found if _delete(cluster, pod)]


def _is_older(pod: Object, moment: str) -> bool:
    return str(metadata(pod).get("creationTimestamp", "")) < moment


def _is_stuck(pod: Object) -> bool:
    return any("/schedule" not in trouble.key for trouble in diagnosis.troubles(pod))


def _is_left_behind(owner: Object, pod: Object) -> bool:
    newest = (owner.get("status") or {}).get("updateRevision")
    revision = label(pod, "controller-revision-hash")
    return bool(newest and revision and revision != newest) and not holds(pod, "Ready")


def _delete(cluster: Cluster, pod: Object) -> bool:
    path = f"/api/v1/namespaces/{namespace_of(pod)}/pods/{name_of(pod)}"
    try:
        cluster.send("DELETE", path, body={"preconditions": {"uid": metadata(pod).get("uid")}})
    except ApiError as error:
        if error.status not in _GONE:
            raise
        return False
    return True
