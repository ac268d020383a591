"""Which Pods of a workload are made afresh, so that a run sees the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mlops_infra.kube import restart_stuck_pods

PODS = "/api/v1/namespaces/mlops/pods"
OWNER = "/apis/apps/v1/namespaces/mlops/statefulsets/store"
BEFORE = "2026-11-30T12:00:00Z"
OLDER = "2026-11-30T11:59:59Z"
LOOPING = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
BROKEN = [{"name": "main", "image": "a", "restartCount": 4, "state": LOOPING, "lastState": {}}]


class Recorder:
    """A cluster with one StatefulSet and one Pod; it keeps what is deleted."""

    def __init__(self, pod: dict[str, Any]) -> None:
        self.deleted: list[str] = []
        self._pod = pod

    def find(self, path: str) -> Any:
        assert path == OWNER
        labels = {"app": "store"}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}}
        return {
            "metadata": {"name": "store", "namespace": "mlops", "uid": "1"},
            "spec": spec,
            "status": {"updateRevision": "new"},
        }

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        assert path == PODS
        return {"items": [self._pod]}

    def send(self, method: str, path: str, **_: Any) -> None:
        assert method == "DELETE"
        self.deleted.append(path)


def pod(revision: str, created: str, state: str, ending: bool) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "name": "store-0",
        "namespace": "mlops",
        "uid": "2",
        "creationTimestamp": created,
        "labels": {"app": "store", "controller-revision-hash": revision},
        "ownerReferences": [{"kind": "StatefulSet", "name": "store", "uid": "1"}],
    }
    if ending:
        meta["deletionTimestamp"] = BEFORE
    conditions = [{"type": "Ready", "status": str(state == "ready")}]
    statuses = BROKEN if state == "broken" else []
    status = {"phase": "Pending", "conditions": conditions, "containerStatuses": statuses}
    return {"metadata": meta, "spec": {"containers": [{"name": "main"}]}, "status": status}


@pytest.mark.parametrize("created", [OLDER, BEFORE], ids=["older", "of the same second"])
@pytest.mark.parametrize("revision", ["old", "new"])
@pytest.mark.parametrize("state", ["ready", "slow", "broken"])
@pytest.mark.parametrize("ending", [True, False], ids=["ending", "living"])
def test_what_blocks_a_stateful_set_goes_however_young_and_nothing_else(
    revision: str, created: str, state: str, ending: bool
) -> None:
    cluster = Recorder(pod(revision, created, state, ending))
    left_behind = revision == "old" and state != "ready"
    stuck = state == "broken" and created == OLDER
    restart_stuck_pods(cluster, "StatefulSet", "mlops", "store", before=BEFORE)  # type: ignore[arg-type]
    assert bool(cluster.deleted) == (not ending and (left_behind or stuck))
