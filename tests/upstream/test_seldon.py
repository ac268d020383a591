"""Models in Seldon's real servers, beside KServe's: promoted, moved, rolled back, kept apart.

The tests share one model and follow each other in this order.
"""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from mlops_infra import contract
from mlops_infra.lifecycle.services.credentials import ClusterSecrets
from mlops_infra.lifecycle.serving.seldon import METRICS_PORT, PORT
from tests.e2e.platform import Platform, cluster_client
from tests.e2e.probing import Probe
from tests.upstream.conftest import BY_SELDON
from tests.upstream.in_tenant import statuses, token

MODEL, TENANT, NAMESPACE = "grapes", "demo", "tenant-demo"
SELDON = ("machinelearning.seldon.io", "v1", "seldondeployments")
KSERVE = ("serving.kserve.io", "v1beta1", "inferenceservices")
OF_VERSION = "x-model-version"
POOR = '{"C": 0.001}'
"""Hyperparameters that leave room for a better version."""


@pytest.fixture(scope="module")
def model(seldon: Platform) -> Iterator[Platform]:
    """The platform with two versions in its registry, the second one better."""
    train = ("pipeline", "run", "tabular-classification", "-s", seldon.stack, "-t", TENANT)
    of = ("-p", "data=sklearn://wine", "-p", f"model={MODEL}", "-p", "promote=false")
    seldon.ok(*train, *of, "-p", f"hyperparameters={POOR}")
    seldon.ok(*train, *of)
    yield seldon
    shutil.rmtree(seldon.data / "runs")  # trained in this process, not in the cluster


def test_a_model_is_served_by_seldon_through_the_gateway(model: Platform) -> None:
    done = _promoted(model, "1", "--engine", "seldon-core")
    assert (done["outcome"], done["champion"]) == ("first", "1")
    assert _servers(model) == {"seldon": [f"{MODEL}-v1"], "kserve": []}
    (pod,) = _pods(model)
    assert [each.name for each in pod.spec.containers] == [f"{MODEL}-v1"], "no executor"
    assert not pod.spec.automount_service_account_token
    headers, _ = _asked(model, 3)
    assert headers[OF_VERSION] == "1"
    again = model.json("replay", "-s", model.stack, "-t", TENANT, headers["x-prediction-id"])
    assert again["equal"]


def test_a_canary_in_the_other_engine_takes_the_traffic_and_gives_it_back(model: Platform) -> None:
    with _watched(model) as probe:
        stages = ("--shadow-seconds", "5", "--canary", "50", "--canary-seconds", "10")
        done = _promoted(model, "2", "--engine", "kserve", *stages, "--champion-seconds", "5")
        assert done["outcome"] == "promoted"
        assert _servers(model) == {"seldon": [f"{MODEL}-v1"], "kserve": [f"{MODEL}-v2"]}
        back = model.json(*("promote", "-s", model.stack, "-t", TENANT, MODEL, "--rollback"))
        assert (back["outcome"], back["champion"]) == ("rolled-back", "1")
    assert probe.lost == [], probe.told()
    assert set(probe.seen) == {"1", "2"}
    assert _changes(probe.seen) > 2, "for a while either answered"
    assert probe.seen[-1] == "1"
    assert _servers(model) == {"seldon": [f"{MODEL}-v1"], "kserve": []}


def test_the_better_version_becomes_champion_in_seldon(model: Platform) -> None:
    stages = ("--shadow-seconds", "0", "--canary", "50", "--canary-seconds", "5")
    with _watched(model) as probe:
        done = _promoted(model, "2", "--engine", "seldon-core", *stages, "--champion-seconds", "5")
    assert done["outcome"] == "promoted"
    assert probe.lost == [], probe.told()
    assert _servers(model)["seldon"] == [f"{MODEL}-v1", f"{MODEL}-v2"], "one stands by"
    _, answers = _asked(model)
    assert _right(answers) > 0.9


def test_a_model_moves_to_kserve_and_back_without_a_lost_request(model: Platform) -> None:
    before = _asked(model)[1]
    with _watched(model) as probe:
        there = _moved(model, "kserve")
        assert _servers(model) == {"seldon": [], "kserve": [f"{MODEL}-v1", f"{MODEL}-v2"]}
        beside = _asked(model)[1]
        back = _moved(model, "seldon-core")
    assert (there["outcome"], back["outcome"]) == ("moved", "moved")
    assert probe.lost == [], probe.told()
    assert set(probe.seen) == {"2"}
    assert _servers(model) == {"seldon": [f"{MODEL}-v1", f"{MODEL}-v2"], "kserve": []}
    assert before == beside == _asked(model)[1]


def test_another_tenant_is_refused_by_the_gateway_and_the_api_server(model: Platform) -> None:
    for path, asked in (("infer", {"inputs": _inputs(1)}), ("", None)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            _request(model, path, asked, of="other")
        assert refused.value.code == 401
    body = {"apiVersion": "/".join(SELDON[:2]), "kind": "SeldonDeployment"}
    body |= {"metadata": {"name": "mine"}, "spec": {"predictors": []}}
    for account in ("pipeline", "notebook"):
        acts = _as(model, "other", account)
        assert acts(acts_on="tenant-other", verb="list") == 200
        assert acts(acts_on=NAMESPACE, verb="list") == 403
        assert acts(acts_on=NAMESPACE, verb="get") == 403
        assert acts(acts_on=NAMESPACE, verb="create", body=body) == 403
    notebook = _as(model, TENANT, "notebook")
    assert notebook(acts_on=NAMESPACE, verb="get") == 200
    assert notebook(acts_on=NAMESPACE, verb="create", body=body) == 403


def test_pods_of_another_tenant_reach_no_server_of_the_model(model: Platform) -> None:
    service = f"http://{MODEL}-v2-default.{NAMESPACE}.svc:{PORT}/v2/health/ready"
    pods = [pod for pod in _pods(model) if pod.metadata.labels["seldon-deployment-id"][-1] == "2"]
    (address,) = {pod.status.pod_ip for pod in pods}
    metrics = f"http://{address}:{METRICS_PORT}/prometheus"
    urls = [service, f"http://{address}:{PORT}/v2/models/{MODEL}-v2/ready", metrics]
    questions: list[Any] = [(url, {}) for url in urls]
    assert statuses(model, TENANT, questions) == [200, 200, 200]
    assert statuses(model, "other", questions) == [None, None, None]


def test_the_step_of_a_pipeline_takes_the_engine_that_the_model_names(seldon: Platform) -> None:
    """In a Pod of the tenant, with the tenant's own rights; the stack's default is KServe."""
    words = ("pipeline", "run", "tabular-classification", "--engine", "argo")
    of = ("-p", "data=sklearn://wine", "-p", f"model={BY_SELDON}")
    done = seldon.json(*words, "-s", seldon.stack, "-t", TENANT, *of)
    assert done["phase"] == "Succeeded"
    assert _servers(seldon, BY_SELDON) == {"seldon": [f"{BY_SELDON}-v1"], "kserve": []}


def _promoted(model: Platform, version: str, *options: str) -> dict[str, Any]:
    named = f"{MODEL}/{version}"
    return model.json("promote", "-s", model.stack, "-t", TENANT, named, *options)


def _moved(model: Platform, engine: str) -> dict[str, Any]:
    words = ("move", "-s", model.stack, "-t", TENANT, MODEL, "--to", engine)
    return model.json(*words, "--champion-seconds", "5")


def _servers(model: Platform, name: str = MODEL) -> dict[str, list[str]]:
    """Objects that serve a model, by engine."""
    from kubernetes import client

    objects: Any = client.CustomObjectsApi(cluster_client(model))
    labels = f"{contract.MODEL_LABEL}={name}"

    def found(group: str, version: str, plural: str) -> list[str]:
        kind = (group, version, NAMESPACE, plural)
        listed = objects.list_namespaced_custom_object(*kind, label_selector=labels)
        return sorted(each["metadata"]["name"] for each in listed["items"])

    return {"seldon": found(*SELDON), "kserve": found(*KSERVE)}


def _pods(model: Platform) -> list[Any]:
    """Seldon's Pods that are not on their way out."""
    from kubernetes import client

    core: Any = client.CoreV1Api(cluster_client(model))
    found = core.list_namespaced_pod(NAMESPACE, label_selector="seldon-deployment-id").items
    return [pod for pod in found if pod.metadata.deletion_timestamp is None]


def _inputs(rows: int | None = None) -> list[dict[str, Any]]:
    """The first rows of the table that the model has learnt, or all."""
    from sklearn.datasets import load_wine

    data = load_wine(as_frame=True).data.head(rows or 1000)
    return [
        {"name": n, "datatype": "FP64", "shape": [len(data), 1], "data": data[n].tolist()}
        for n in data
    ]


def _right(answers: list[Any]) -> float:
    """Share of the rows, 0 to 1, for which the answer is the wine's class."""
    from sklearn.datasets import load_wine

    target = [int(each) for each in load_wine().target]
    assert len(answers) == len(target)
    return sum(a == t for a, t in zip(answers, target, strict=True)) / len(target)


def _request(
    model: Platform, path: str, body: Any = None, of: str = TENANT
) -> tuple[Mapping[str, str], Any]:
    url = f"{model.outputs['serving_endpoint']}/{TENANT}/v2/models/{MODEL}"
    request = urllib.request.Request(  # noqa: S310
        f"{url}/{path}".rstrip("/"),
        data=json.dumps(body).encode() if body is not None else None,
        headers=_headers(model, of),
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return dict(answer.headers), json.loads(answer.read())


def _asked(model: Platform, rows: int | None = None) -> tuple[Mapping[str, str], list[Any]]:
    """Headers of an answer, and the classes in it."""
    headers, document = _request(model, "infer", {"inputs": _inputs(rows)})
    answers: list[Any] = document["outputs"][0]["data"]
    return headers, answers


def _headers(model: Platform, of: str) -> dict[str, str]:
    held = ClusterSecrets(model.kubeconfig).read(f"tenant-{of}", "gateway-token")
    return {"Authorization": f"Bearer {held['token']}", "Content-Type": "application/json"}


def _watched(model: Platform) -> Any:
    """A client that asks all the time and keeps which version answered."""
    url = f"{model.outputs['serving_endpoint']}/{TENANT}/v2/models/{MODEL}/infer"
    body = json.dumps({"inputs": _inputs(2)}).encode()
    return Probe(MODEL, url, body, _headers(model, TENANT), header=OF_VERSION).running()


def _changes(seen: list[str]) -> int:
    return sum(one != other for one, other in pairwise(seen))


def _as(model: Platform, tenant: str, account: str) -> Any:
    """Acts on SeldonDeployments with a token of the tenant's account; returns the HTTP status."""
    from kubernetes import client

    api = cluster_client(model)
    api.configuration.api_key = {"authorization": f"Bearer {token(model, tenant, account)}"}
    api.configuration.cert_file = api.configuration.key_file = None
    objects: Any = client.CustomObjectsApi(client.ApiClient(api.configuration))

    def act(acts_on: str, verb: str, body: Any = None) -> int:
        group, version, plural = SELDON
        try:
            match verb:
                case "list":
                    objects.list_namespaced_custom_object(group, version, acts_on, plural)
                case "get":
                    name = f"{MODEL}-v2"
                    objects.get_namespaced_custom_object(group, version, acts_on, plural, name)
                case "create":
                    objects.create_namespaced_custom_object(group, version, acts_on, plural, body)
        except client.ApiException as error:
            return int(error.status)
        return 200

    return act
