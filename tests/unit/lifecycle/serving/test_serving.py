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
from mlops_infra.lifecycle.serving import custom_objects
from mlops_infra.lifecycle.serving.interface import CannotServe, Scaling, Service, server_name
from mlops_infra.lifecycle.serving.kserve import KServe, inference_service
from mlops_infra.lifecycle.serving.seldon import Loader, Seldon, seldon_deployment

LOADER = Loader("registry.example/rclone:1", "site-ca")
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
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
    cluster = FakeCluster(READY)
    cluster.pods = [pod(**READY)]
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


REFUSED = {
    "metadata": {"name": "wine-v3-predictor-abc.1"},
    "reason": "FailedCreate",
    "message": "exceeded quota: tenant, requested: pods=1",
    "lastTimestamp": "2020-01-01T00:00:00Z",
    "count": 3,
    "involvedObject": {"kind": "ReplicaSet", "name": "wine-v3-predictor-abc"},
}


def _refused_meanwhile(event: dict[str, Any]) -> str:
    """How a wait ends that began with REFUSED and saw `event` instead while it lasted."""
    cluster = FakeCluster()
    cluster.events = [REFUSED]
    serving = KServe(cluster)
    serving.deploy(SERVICE)
    with pytest.raises(CannotServe) as caught:
        serving.wait(SERVICE, 0.1, lambda: cluster.events.append(event))
    return caught.value.what


def test_a_quota_that_says_no_is_told_at_once_and_only_then() -> None:
    again = REFUSED | {"count": 4, "lastTimestamp": "2020-01-01T00:00:09Z"}
    assert "exceeded quota" in _refused_meanwhile(again)
    # as it was said before this wait: an earlier try, whose cause may be gone, whatever the clocks
    assert "not ready after" in _refused_meanwhile(REFUSED)
    # of another model, whose name begins like this one
    other = {"kind": "ReplicaSet", "name": "wine-v3-predictor-b-v1-predictor-abc"}
    assert "not ready after" in _refused_meanwhile(again | {"involvedObject": other})


def test_not_ready_in_time_tells_the_conditions() -> None:
    conditions = [{"type": "PredictorReady", "status": "False", "message": "no endpoints"}]
    cluster = FakeCluster({"conditions": conditions})
    serving = KServe(cluster)
    serving.deploy(SERVICE)
    with pytest.raises(CannotServe, match="PredictorReady: no endpoints"):
        serving.wait(SERVICE, 0.01, alive)


def _seldon_pod(loader: Loader = LOADER) -> dict[str, Any]:
    (predictor,) = seldon_deployment(SERVICE, loader)["spec"]["predictors"]
    found: dict[str, Any] = predictor["componentSpecs"][0]["spec"]
    return found


def test_a_seldon_deployment_is_what_seldon_needs() -> None:
    (predictor,) = seldon_deployment(SERVICE, LOADER)["spec"]["predictors"]
    assert predictor["graph"]["implementation"] == "MLFLOW_SERVER"
    assert predictor["graph"]["modelUri"] == SERVICE.storage
    assert predictor["annotations"] == {"seldon.io/no-engine": "true"}
    assert "hpaSpec" not in predictor["componentSpecs"][0]
    scaled = Service("demo", "wine", "3", "s3://b", Scaling(1, 4, 60))
    (predictor,) = seldon_deployment(scaled, LOADER)["spec"]["predictors"]
    hpa = predictor["componentSpecs"][0]["hpaSpec"]
    assert (hpa["maxReplicas"], list(hpa)) == (4, ["minReplicas", "maxReplicas", "metricsv2"])


def test_seldons_loader_is_in_the_place_of_the_one_that_would_be_refused() -> None:
    pod = _seldon_pod()
    (loader,), (server,) = pod["initContainers"], pod["containers"]
    assert loader["name"] == f"{server['name']}-model-initializer", "or the operator adds its own"
    assert loader["args"] == [SERVICE.storage, "/mnt/models"]
    assert loader["envFrom"] == [{"secretRef": {"name": "serving-rclone"}}]
    mounted = {mount["name"]: mount["mountPath"] for mount in loader["volumeMounts"]}
    assert mounted[f"{server['name']}-provision-location"] == "/mnt/models"
    assert {"name": "RCLONE_CA_CERT", "value": "/etc/site-ca/ca.crt"} in loader["env"]
    assert set(mounted) == {volume["name"] for volume in pod["volumes"]}
    plain = _seldon_pod(Loader("registry.example/rclone:1"))
    assert "site-ca" not in {volume["name"] for volume in plain["volumes"]}


def test_seldons_server_has_one_process_and_is_ready_with_the_model_only() -> None:
    (server,) = _seldon_pod()["containers"]
    assert {"name": "MLSERVER_PARALLEL_WORKERS", "value": "0"} in server["env"]
    # the one probe that the operator leaves as it is
    assert server["startupProbe"]["httpGet"]["path"] == "/v2/models/wine-v3/ready"


def test_seldons_server_is_scraped_where_it_has_metrics() -> None:
    """The operator has every port of every container scraped, unless one is named."""
    (predictor,) = seldon_deployment(SERVICE, LOADER)["spec"]["predictors"]
    (part,) = predictor["componentSpecs"]
    (port,) = part["spec"]["containers"][0]["ports"]
    assert part["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    assert port["name"] == "metrics", "a name of another makes the operator choose a port"


def test_available_is_not_served_before_a_pod_has_loaded_the_model() -> None:
    cluster = FakeCluster({"state": "Available"})
    cluster.pods = [pod(conditions=[{"type": "Ready", "status": "False"}])]
    seldon = Seldon(cluster, LOADER)
    seldon.deploy(SERVICE)
    with pytest.raises(CannotServe, match="0 of 1 Pods have loaded the model"):
        seldon.wait(SERVICE, 0.01, alive)
    cluster.pods[0]["status"] = READY
    url = seldon.wait(SERVICE, 1, alive).url
    assert url == "http://wine-v3-default.tenant-demo.svc.cluster.local:8000"
    cluster.pods[0]["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z"
    with pytest.raises(CannotServe, match="0 of 1 Pods"):
        seldon.wait(SERVICE, 0.01, alive)


def test_a_failure_that_lasts_ends_the_wait_and_a_passing_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seldon's operator calls an object failed of which it has just made a part twice."""
    monkeypatch.setattr(custom_objects, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(custom_objects, "_FAILED_SECONDS", 0.1)
    cluster = FakeCluster({"state": "Failed", "description": "it exists already"})
    cluster.pods = [pod(**READY)]
    seldon = Seldon(cluster, LOADER)
    seldon.deploy(SERVICE)
    with pytest.raises(CannotServe, match="failed: it exists already"):
        seldon.wait(SERVICE, 60, alive)
    looks = iter([{"state": "Failed"}, {"state": "Available"}])

    def look() -> None:
        cluster.status = next(looks)

    assert seldon.wait(SERVICE, 60, look).name == "wine-v3"


def test_seldons_refused_pods_are_found_under_either_name() -> None:
    seldon = Seldon(FakeCluster(), LOADER)
    assert seldon.workload(SERVICE) == "wine-v3-default-0-wine-v3"
    long = Service("demo", "w" * 40, "3", "s3://b")
    assert re.fullmatch(r"seldon-[0-9a-f]{32}", seldon.workload(long))


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
