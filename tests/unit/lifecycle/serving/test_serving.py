from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.registry.versions import ranges_of
from mlops_infra.lifecycle.services.kubernetes_objects import EVENT, POD, Kind
from mlops_infra.lifecycle.serving.interface import CannotServe, Scaling, Service, server_name
from mlops_infra.lifecycle.serving.kserve import KServe, inference_service
from mlops_infra.lifecycle.serving.seldon import Seldon, seldon_deployment

SERVICE = Service("demo", "wine", "3", "s3://tenant-demo/models/wine/3/files")


class FakeCluster:
    """Objects in memory; `status` is what a controller would write."""

    def __init__(self, status: Mapping[str, Any] | None = None) -> None:
        self.status = status or {}
        self.held: dict[tuple[str, str], dict[str, Any]] = {}
        self.pods: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def get(self, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
        found = self.held.get((namespace, name))
        return None if found is None else {**found, "status": self.status}

    def list(self, kind: Kind, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        return {POD: self.pods, EVENT: self.events}.get(kind, list(self.held.values()))

    def apply(self, kind: Kind, namespace: str, body: Mapping[str, Any]) -> None:
        self.held[namespace, body["metadata"]["name"]] = dict(body)

    def delete(self, kind: Kind, namespace: str, name: str) -> bool:
        return self.held.pop((namespace, name), None) is not None


def alive() -> None:
    pass


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "wine-v3-predictor-x"}, "status": status}


def test_an_inference_service_is_what_kserve_needs() -> None:
    body = inference_service(SERVICE)
    predictor = body["spec"]["predictor"]
    assert body["metadata"]["namespace"] == "tenant-demo"
    assert body["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "none"
    assert predictor["model"]["runtime"] == "kserve-mlserver"
    assert predictor["model"]["storageUri"] == SERVICE.storage
    assert predictor["serviceAccountName"] == "serving"
    scaled = Service("demo", "wine", "3", "s3://b", Scaling(1, 4, 60))
    body = inference_service(scaled)
    assert body["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "hpa"
    assert body["spec"]["predictor"]["maxReplicas"] == 4
    assert body["spec"]["predictor"]["scaleTarget"] == 60


def test_ready_and_where_it_answers() -> None:
    cluster = FakeCluster({"conditions": [{"type": "Ready", "status": "True"}]})
    serving = KServe(cluster)
    serving.deploy(SERVICE)
    address = serving.wait(SERVICE, 1, alive)
    assert address.url == "http://wine-v3-predictor.tenant-demo.svc.cluster.local"
    assert serving.delete("demo", "wine-v3")
    with pytest.raises(CannotServe, match="deleted meanwhile"):
        serving.wait(SERVICE, 1, alive)


CRASHED = {
    "name": "storage-initializer",
    "restartCount": 2,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "x\nno such bucket"}},
}
PULLING = {
    "name": "kserve-container",
    "restartCount": 0,
    "state": {"waiting": {"reason": "ImagePullBackOff", "message": "image not found"}},
}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (
            {"initContainerStatuses": [CRASHED]},
            "storage-initializer: crash loop, Error with exit code 1: no such",
        ),
        ({"containerStatuses": [PULLING]}, "kserve-container: ImagePullBackOff: image not found"),
    ],
)
def test_a_pod_that_cannot_start_is_told_at_once(status: dict[str, Any], why: str) -> None:
    cluster = FakeCluster({"conditions": [{"type": "Ready", "status": "False"}]})
    cluster.pods = [pod(**status)]
    serving = KServe(cluster)
    serving.deploy(SERVICE)
    with pytest.raises(CannotServe, match=re.escape(why)):
        serving.wait(SERVICE, 60, alive)


def test_a_quota_that_says_no_is_told_at_once() -> None:
    cluster = FakeCluster()
    cluster.events = [
        {
            "reason": "FailedCreate",
            "message": "exceeded quota: tenant, requested: pods=1",
            "lastTimestamp": "2999-01-01T00:00:00Z",
            "involvedObject": {"kind": "ReplicaSet", "name": "wine-v3-predictor-abc"},
        }
    ]
    serving = KServe(cluster)
    serving.deploy(SERVICE)
    with pytest.raises(CannotServe, match="exceeded quota"):
        serving.wait(SERVICE, 60, alive)

    # the same words from before this wait are about an earlier one, whose cause may be gone
    cluster.events[0]["lastTimestamp"] = "2020-01-01T00:00:00Z"
    with pytest.raises(CannotServe, match="not ready after"):
        serving.wait(SERVICE, 0.1, alive)


def test_not_ready_in_time_tells_the_conditions() -> None:
    conditions = [{"type": "PredictorReady", "status": "False", "message": "no endpoints"}]
    cluster = FakeCluster({"conditions": conditions})
    serving = KServe(cluster)
    serving.deploy(SERVICE)
    with pytest.raises(CannotServe, match="PredictorReady: no endpoints"):
        serving.wait(SERVICE, 0.01, alive)


def test_a_seldon_deployment_is_what_seldon_needs() -> None:
    (predictor,) = seldon_deployment(SERVICE)["spec"]["predictors"]
    assert predictor["graph"]["implementation"] == "MLFLOW_SERVER"
    assert predictor["graph"]["modelUri"] == SERVICE.storage
    assert predictor["componentSpecs"][0]["spec"]["containers"][0]["name"] == "wine-v3"
    cluster = FakeCluster({"state": "Available"})
    seldon = Seldon(cluster)
    seldon.deploy(SERVICE)
    assert (
        seldon.wait(SERVICE, 1, alive).url
        == "http://wine-v3-default.tenant-demo.svc.cluster.local:8000"
    )
    cluster.status = {"state": "Failed", "description": "no such model"}
    with pytest.raises(CannotServe, match="no such model"):
        seldon.wait(SERVICE, 1, alive)


@given(st.text(min_size=1, max_size=120), st.integers(1, 10**6))
def test_names_are_labels_and_tell_models_apart(model: str, version: int) -> None:
    name = server_name(model, str(version))
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)
    assert len(f"{name}-predictor") <= 52
    assert name != server_name(f"{model}x", str(version))
    assert name != server_name(model, str(version + 1))


def test_scaling_that_makes_no_sense() -> None:
    with pytest.raises(InputError):
        Scaling(3, 1)


def test_ranges_that_are_none_are_told() -> None:
    assert ranges_of(None, "m/1") == {}
    assert ranges_of('{"hour": {"min": 0}}', "m/1") == {"hour": {"min": 0}}
    for text in ("[]", "{", '{"hour": 3}', '{"hour": {"least": 0}}', '{"hour": {"min": "0"}}'):
        with pytest.raises(OperationFailed, match="cannot be read"):
            ranges_of(text, "m/1")
