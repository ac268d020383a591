from __future__ import annotations

import math
from typing import Any

import pytest

from mlops_infra.kubeprovider import pods, readiness
from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.rollout import RULES
from mlops_infra.kubeprovider.waitfor import evaluate, parse


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


LIVE = {
    "spec": {"a": {"b": [{"c": "x"}, {"c": 2}]}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("condition=Ready", True),
        ("condition=Ready=False", False),
        ("condition=Other", False),
        ("jsonpath={.spec.a.b[0].c}=x", True),
        ("jsonpath={.spec.a.b[1].c}=2", True),
        ("jsonpath={.spec.a.b[*].c}=2", True),
        ("jsonpath={.spec.a['b'][-1].c}", True),
        ("jsonpath={.spec.nothing}", False),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        ('["condition=Ready", "jsonpath={.spec.a}"]', True),
        ('["condition=Ready", "jsonpath={.spec.z}"]', False),
    ],
)
def test_wait_for(text: str, ready: bool) -> None:
    assert evaluate(LIVE, parse(text)).ready is ready


@pytest.mark.parametrize("text", ["ready", "jsonpath={.a[?(@.x)]}", "[]", "[1"])
def test_an_expression_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ProviderError, match="waitFor"):
        parse(text)


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
    (trouble,) = readiness.refusals(cluster=None, live=live, pods=[])
    assert message in trouble.message
    assert (trouble.grace > 60) is patient
