"""Why workloads are not ready, as told by what a cluster answers."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_infra.kube import causes, pods
from mlops_infra.kube.rollout import RULES
from mlops_infra.kube.workloads import refusals

SPACE = "/api/v1/namespaces/mlops"
APPS = "/apis/apps/v1/namespaces/mlops"


class FakeCluster:
    """Answers from a table of paths; a collection that is not in it is empty."""

    def __init__(self, answers: Mapping[str, Any], log: str = "") -> None:
        self.answers = answers
        self._log = log

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        items = list(self.answers.get(path, ()))
        wanted = (query or {}).get("labelSelector", "")
        for pair in filter(None, wanted.split(",")):
            key, _, value = pair.partition("=")
            items = [i for i in items if i["metadata"].get("labels", {}).get(key) == value]
        return {"items": items}

    def find(self, path: str) -> Any:
        return self.answers.get(path)

    def log(self, *_where: str, previous: bool, lines: int) -> str:
        return self._log if previous and lines else ""


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 2, **status},
    }


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (deployment(observedGeneration=1, updatedReplicas=2), "waiting for the Deployment"),
        (deployment(updatedReplicas=1), "1 of 2 Pods updated"),
        (deployment(updatedReplicas=2, replicas=3), "1 old Pods to be stopped"),
        (deployment(updatedReplicas=2, replicas=2, availableReplicas=1), "1 of 2 Pods available"),
        (deployment(updatedReplicas=2, replicas=2, availableReplicas=2), None),
    ],
)
def test_a_deployment_is_ready_when_all_new_pods_are(obj: Any, message: str | None) -> None:
    verdict = RULES["apps", "Deployment"](obj)
    assert verdict.ready is (message is None)
    assert (message or "") in verdict.message


def test_a_failed_job_fails_at_once() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    verdict = RULES["batch", "Job"]({"status": {"conditions": [failed]}})
    assert [t.grace for t in verdict.troubles] == [0.0]
    assert "BackoffLimitExceeded" in verdict.troubles[0].message


def test_a_stateful_set_waits_for_its_newest_revision() -> None:
    status = {"readyReplicas": 1, "currentRevision": "a", "updateRevision": "b"}
    obj = {"spec": {"replicas": 1}, "status": status}
    assert not RULES["apps", "StatefulSet"](obj).ready
    assert RULES["apps", "StatefulSet"]({**obj, "status": {**status, "updatedReplicas": 1}}).ready


def pod(reason: str, message: str = "", **status: Any) -> dict[str, Any]:
    held = {"waiting": {"reason": reason, "message": message}}
    container = {"name": "main", "image": "i", "state": held, **status}
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": [container]}}


@pytest.mark.parametrize(
    ("broken", "grace"),
    [
        (pod("InvalidImageName"), 0.0),
        (pod("ErrImagePull", "manifest unknown"), 0.0),
        (pod("ImagePullBackOff", "i/o timeout"), 15.0),
        (pod("CreateContainerConfigError", 'secret "s" not found'), 20.0),
        (pod("CrashLoopBackOff", restartCount=3), 0.0),
        (pod("CrashLoopBackOff", restartCount=1), math.nan),
        (pod("ContainerCreating"), math.nan),
    ],
)
def test_troubles_of_pods_and_how_long_they_may_last(broken: Any, grace: float) -> None:
    found = pods.troubles(broken)
    assert [t.grace for t in found] == ([] if math.isnan(grace) else [grace])
    assert all("Pod p, container main: " in t.message for t in found)


@pytest.mark.parametrize(
    ("message", "patient"),
    [
        ('error looking up service account a/b: serviceaccount "b" not found', True),
        ('failed calling webhook "pods.kserve": connection refused', True),
        ("exceeded quota: requests, requested: pods=1, used: pods=5, limited: pods=5", False),
    ],
)
def test_what_the_same_deployment_brings_is_waited_for(message: str, patient: bool) -> None:
    """Controllers that tried too early try again with a back-off; a quota stays as it is."""
    refused = {"type": "ReplicaFailure", "status": "True", "message": message}
    live = {"kind": "ReplicaSet", "status": {"conditions": [refused]}}
    (trouble,) = refusals(FakeCluster({}), live, [])
    assert message in trouble.message
    assert (trouble.grace > 60) is patient


LABELS = {"app": "mlflow"}


def _set(**status: Any) -> dict[str, Any]:
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "mlflow", "namespace": "mlops", "uid": "1", "generation": 1},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}},
        "status": {"observedGeneration": 1, "updateRevision": "r", **status},
    }


def test_a_cause_names_pod_container_reason_and_log_without_any_secret() -> None:
    broken = pod("CrashLoopBackOff", restartCount=4, lastState={"terminated": {"exitCode": 3}})
    broken["metadata"] |= {
        "labels": {**LABELS, "controller-revision-hash": "r"},
        "ownerReferences": [{"uid": "1"}],
    }
    secret = {"metadata": {"name": "s"}, "data": {"p": base64.b64encode(b"hunter").decode()}}
    cluster = FakeCluster(
        {
            f"{APPS}/statefulsets/mlflow": _set(),
            f"{SPACE}/pods": [broken],
            f"{SPACE}/secrets": [secret],
        },
        log="connecting with hunter\nrefused\n",
    )
    (cause,) = causes(cluster, "mlops", kind="StatefulSet", name="mlflow")  # type: ignore[arg-type]
    assert (cause.pod, cause.container, cause.reason) == ("p", "main", "CrashLoopBackOff")
    assert cause.log == ("connecting with ***", "refused")
    assert cause.patience == 0
    assert "Pod mlops/p, container main: crash loop, Error with exit code 3" in str(cause)


def test_events_of_the_past_do_not_count_once_the_cause_is_gone() -> None:
    event = {
        "reason": "FailedCreate",
        "message": "exceeded quota",
        "lastTimestamp": "2026-11-30T10:00:00Z",
    }
    cluster: Any = FakeCluster({f"{APPS}/statefulsets/mlflow": _set(), f"{SPACE}/events": [event]})
    asked = {"kind": "StatefulSet", "name": "mlflow"}
    (before,) = causes(cluster, "mlops", **asked, since="2026-11-30T09:59:00Z")
    assert before.reason == "FailedCreate"
    assert "exceeded quota" in before.message
    assert causes(cluster, "mlops", **asked, since="2026-11-30T10:00:01Z") == []


def test_a_container_that_is_merely_not_ready_is_a_remark() -> None:
    slow = pod("", ready=False, state={"running": {}})
    slow["metadata"]["labels"] = {"app.kubernetes.io/name": "model"}
    cluster: Any = FakeCluster({f"{SPACE}/pods": [slow]})
    (cause,) = causes(cluster, "mlops", kind="InferenceService", name="model")
    assert (cause.reason, cause.patience) == ("NotReady", math.inf)
