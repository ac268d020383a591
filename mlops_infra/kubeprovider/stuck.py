"""Pods that an earlier run left broken, started afresh so that this run sees the truth at once."""

from __future__ import annotations

from mlops_infra.kube import pods as diagnosis
from mlops_infra.kube.workloads import PODS_OF
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import Object, metadata, name_of, namespace_of
from mlops_infra.kubeprovider.problems import ApiError
from mlops_infra.kubeprovider.waits import Report

_RESTARTED = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_GONE = (404, 409)


def restart_stuck_pods(cluster: Cluster, live: Object, report: Report) -> None:
    """Delete the workload's Pods that sit in a back-off; its controller makes new ones.

    The kubelet backs off for up to five minutes, so a cause that was mended since (an image loaded,
    a database come up) would go unseen. A StatefulSet never replaces a broken Pod by itself.
    """
    if live.get("kind") not in _RESTARTED:
        return
    seen = int((live.get("status") or {}).get("observedGeneration") or 0)
    is_changing = seen < int(metadata(live).get("generation") or 0)
    if is_changing and live["kind"] != "StatefulSet":
        # the change brings new Pods by itself
        return
    key = (str(live.get("apiVersion", "")).rpartition("/")[0], str(live["kind"]))
    pods_of = PODS_OF["apps", "ReplicaSet"] if live["kind"] == "StatefulSet" else PODS_OF[key]
    for pod in pods_of(cluster.client, live):
        if not any("/schedule" not in t.key for t in diagnosis.troubles(pod)):
            continue
        report(f"starting Pod {name_of(pod)} afresh")
        path = f"/api/v1/namespaces/{namespace_of(pod)}/pods/{name_of(pod)}"
        options = {"preconditions": {"uid": metadata(pod).get("uid")}}
        try:
            cluster.client.write("DELETE", path, options)
        except ApiError as error:
            if error.code not in _GONE:
                raise
