"""Kubeflow Pipelines' real server, agent, scheduler, driver and launcher, and tenants kept apart.

Pipelines of the kit and of Kubeflow's own SDK run in the tenants' namespaces.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import contract, toolchain
from mlops_infra.kube import Cluster
from mlops_infra.kube.reading import pods
from mlops_infra.kube.tunnel import forwarded_port
from mlops_infra.kube.tunnelled_http import tunnelled
from mlops_infra.lifecycle.pipeline.submission.kfp_api import PipelinesApi
from mlops_infra.lifecycle.pipeline.submission.kfp_channel import (
    ACCOUNT,
    AUDIENCE,
    NAMESPACE,
    PORT,
    SELECTOR,
    inside,
)
from mlops_infra.lifecycle.pipeline.submission.kubernetes_runs import KubernetesRuns
from mlops_infra.lifecycle.registry.recent_runs import recent_runs
from mlops_infra.lifecycle.services.credentials import ClusterSecrets, Login, credentials
from mlops_infra.lifecycle.services.object_store import s3_client
from mlops_infra.progress import quiet
from tests.e2e.platform import Platform
from tests.tools import environment
from tests.upstream.conftest import BY_KFP

TENANT, SPACE = "demo", "tenant-demo"
KFP = "2.17.0"
EQUAL = ("-p", "promote=false", "-p", "algorithm=forest", "-p")
EQUAL += ('hyperparameters={"n_estimators": 20}', "-p", "model=petals")
COUNT = """
import time

from mlops_infra.pipelines import Metrics, step


@step
def count(seconds: int = 0, broken: bool = False) -> Metrics:
    print("counting slowly", flush=True)
    time.sleep(seconds)
    if broken:
        raise ValueError("no such number")
    return {"answer": 42.0}
"""
SAID = "counting slowly"
PATIENCE = 300
"""Seconds for a run to start, or to end once it is stopped."""


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a pipeline with one step, which takes as long as it is told."""
    file = tmp_path_factory.mktemp("counting") / "counting.py"
    file.write_text(COUNT, "utf-8")
    return str(file)


@pytest.fixture(scope="module")
def kubeflow_run(pipelines: Platform) -> dict[str, Any]:
    """The kit's own pipeline on Kubeflow Pipelines."""
    return _run(pipelines, "tabular-classification", "kfp", *EQUAL)


@pytest.fixture(scope="module")
def sdk_run(pipelines: Platform) -> dict[str, Any]:
    """A pipeline of Kubeflow's SDK, sent by its own client with a token of the tenant."""
    kubectl = toolchain.ensure(["kubectl"], quiet)["kubectl"].path
    words = [str(kubectl), "--kubeconfig", str(pipelines.kubeconfig)]
    image = KubernetesRuns(pipelines.kubeconfig).platform(SPACE)[contract.RUNTIME_IMAGE_VARIABLE]
    with forwarded_port(words, NAMESPACE, "svc/ml-pipeline", PORT) as port:
        server = f"http://127.0.0.1:{port}"
        done = subprocess.run(
            [
                *(environment(f"kfp=={KFP}") / "python", Path(__file__).with_name("kfp_sdk.py")),
                *(server, SPACE, image, "sums"),
            ],
            env={**os.environ, "TOKEN": _token(pipelines, TENANT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_a_pipeline_of_kubeflows_own_sdk_hands_an_artifact_on(
    pipelines: Platform, sdk_run: dict[str, Any]
) -> None:
    assert (sdk_run["kfp"], sdk_run["state"]) == (KFP, "SUCCEEDED")
    log = KubernetesRuns(pipelines.kubeconfig).kfp_log(SPACE, sdk_run["run"], "total", 200)
    assert "sum of squares 30" in log
    pods_of_it = pods(Cluster.open(pipelines.kubeconfig), SPACE, {"pipeline/runid": sdk_run["run"]})
    assert {pod["spec"]["serviceAccountName"] for pod in pods_of_it} == {"pipeline"}


def test_metrics_are_equal_to_the_last_digit_on_every_engine(
    pipelines: Platform, kubeflow_run: dict[str, Any]
) -> None:
    here = _run(pipelines, "tabular-classification", "local", *EQUAL)
    shutil.rmtree(pipelines.data / "runs")  # what it wrote is this machine's, not the cluster's
    argo = _run(pipelines, "tabular-classification", "argo", *EQUAL)
    assert kubeflow_run["phase"] == argo["phase"] == "Succeeded"
    assert here["metrics"] == argo["metrics"] == kubeflow_run["metrics"]
    assert 0.9 < kubeflow_run["metrics"]["accuracy"] < 1
    assert {step["phase"] for step in kubeflow_run["steps"]} == {"Succeeded"}


def test_steps_that_are_equal_are_not_run_again(
    pipelines: Platform, kubeflow_run: dict[str, Any]
) -> None:
    again = _run(pipelines, "tabular-classification", "kfp", *EQUAL)
    assert again["metrics"] == kubeflow_run["metrics"]
    log = KubernetesRuns(pipelines.kubeconfig).kfp_log(SPACE, again["run"], "train", 200)
    assert re.search(r"unchanged.*outputs of ", log), log


def test_a_run_is_found_in_lineage_and_tracking(
    pipelines: Platform, kubeflow_run: dict[str, Any], sdk_run: dict[str, Any]
) -> None:
    found = pipelines.json("lineage", kubeflow_run["run"], "-s", pipelines.stack)["traces"]
    (trace,) = [each for each in found if each["pipeline_run"] == kubeflow_run["run"]]
    assert trace["model"].startswith("petals/")
    tracking = pipelines.outputs["tracking_uri"]
    login = credentials(ClusterSecrets(pipelines.kubeconfig)).tracking
    known = {each.id: each.status for each in recent_runs(tracking, login, limit=200)}
    assert known[trace["tracking_run"]] == "FINISHED"
    # that of the plug-in, of the kit's run and of the SDK's
    told = _api(pipelines).run(sdk_run["run"])["plugins_output"]["mlflow"]
    for run in (kubeflow_run["tracking_run"], told["entries"]["root_run_id"]["value"]):
        assert known[run] == "FINISHED"


def test_artifacts_are_in_the_tenants_bucket_alone(
    pipelines: Platform, kubeflow_run: dict[str, Any], sdk_run: dict[str, Any]
) -> None:
    """The platform's own bucket has what the server keeps itself, and nothing of a run."""
    own = _keys(pipelines, SPACE, "object-store", SPACE)
    shared = _keys(pipelines, NAMESPACE, "kubeflow-pipelines-s3", "pipelines")
    for run in (kubeflow_run["run"], sdk_run["run"]):
        assert any(run in key for key in own)
        assert not any(run in key for key in shared)


def test_pods_of_a_run_are_given_no_key_but_the_tenants(
    pipelines: Platform, sdk_run: dict[str, Any]
) -> None:
    """Nobody's else is in its namespace: Kubernetes lets Pods name no Secret of another one."""
    secrets = ClusterSecrets(pipelines.kubeconfig)
    names = [
        each["metadata"]["name"]
        for each in Cluster.open(pipelines.kubeconfig).get(f"/api/v1/namespaces/{SPACE}/secrets")[
            "items"
        ]
    ]
    held = {value for name in names for value in secrets.read(SPACE, name).values()}
    platform = secrets.read(NAMESPACE, "kubeflow-pipelines-s3")["secretKey"]
    assert secrets.read(SPACE, "object-store")["secretKey"] in held
    assert platform not in held


def test_a_failed_run_is_told_with_the_last_lines_of_its_step(
    pipelines: Platform, counting: str
) -> None:
    words = ("pipeline", "run", counting, "--engine", "kfp", "-p", "broken=true")
    done = pipelines.run(*words, "-s", pipelines.stack, "-t", TENANT)
    assert done.returncode != 0
    assert "step 'count'" in done.stderr
    assert "ValueError: no such number" in done.stderr


def test_a_run_that_is_stopped_ends_its_pods(pipelines: Platform, counting: str) -> None:
    started = _run(pipelines, counting, "kfp", "--no-wait", "-p", "seconds=600")
    logs = KubernetesRuns(pipelines.kubeconfig)
    _until(lambda: SAID in logs.kfp_log(SPACE, started["run"], "count", 50))
    pipelines.ok("pipeline", "stop", started["run"], "-s", pipelines.stack, "-t", TENANT)
    _until(lambda: _api(pipelines).run(started["run"]).get("state") in ("CANCELED", "FAILED"))
    _until(lambda: not _running(pipelines, started["run"]))


def test_a_schedule_starts_runs_until_it_is_removed(pipelines: Platform, counting: str) -> None:
    of = ("-s", pipelines.stack, "-t", TENANT)
    words = ("pipeline", "schedule", "add", counting, "--cron", "* * * * *", "--name", "minutely")
    (made,) = pipelines.json(*words, *of)["schedules"]
    try:
        listed = pipelines.json("pipeline", "schedule", "list", *of)["schedules"]
        assert [(each["name"], each["cron"]) for each in listed] == [("minutely", "* * * * *")]
        _until(lambda: _scheduled(pipelines, made["id"]).count("SUCCEEDED") > 1)
    finally:
        pipelines.ok("pipeline", "schedule", "remove", made["id"], *of)
    before = len(_scheduled(pipelines, made["id"]))
    time.sleep(70)
    assert len(_scheduled(pipelines, made["id"])) == before


def test_a_declared_model_is_trained_by_the_engine_of_its_tenant(pipelines: Platform) -> None:
    """By the controller in its Pod, with its own right to the tenant's tokens."""
    of = ("-s", pipelines.stack, "-t", "other")
    asked = pipelines.json("retrain", *of, BY_KFP)
    api = _api(pipelines, "other")
    _until(lambda: bool(api.runs(asked["workflow"])))
    _until(lambda: _outcome(pipelines, asked["workflow"]) == "succeeded")
    (run,) = api.runs(asked["workflow"])
    assert run["state"] == "SUCCEEDED"


STRANGERS: dict[str, tuple[dict[str, str], tuple[str, str, str] | None, int]] = {
    "nobody": ({}, None, 401),
    "a forged name": ({"kubeflow-userid": f"system:serviceaccount:{SPACE}:{ACCOUNT}"}, None, 401),
    "another tenant": ({}, ("other", ACCOUNT, AUDIENCE), 403),
    "another tenant with a forged name": (
        {"kubeflow-userid": f"system:serviceaccount:{SPACE}:{ACCOUNT}"},
        ("other", ACCOUNT, AUDIENCE),
        403,
    ),
    "the Pods of another tenant's runs": ({}, ("other", "pipeline", AUDIENCE), 403),
    "a token for another server": ({}, (TENANT, ACCOUNT, ""), 401),
}
"""Headers, whose token, and the answer."""


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_is_refused_by_the_server(
    who: str, pipelines: Platform, kubeflow_run: dict[str, Any]
) -> None:
    headers, whose, refused = STRANGERS[who]
    if whose is not None:
        headers = {**headers, "Authorization": f"Bearer {_token(pipelines, *whose)}"}
    known = _api(pipelines).run(kubeflow_run["run"])
    ours = [known[key] for key in ("run_id", "display_name", "experiment_id")]
    ours += known["pipeline_version_reference"].values()
    for method, path, body in _questions(pipelines, kubeflow_run["run"]):
        status, answer = _ask(pipelines, method, path, headers, body)
        assert status == refused, (method, path, status, answer)
        # a refusal may repeat what the question said
        asked = path + json.dumps(body)
        assert not [each for each in ours if each in answer and each not in asked], answer


def test_its_own_people_are_not_refused(pipelines: Platform, kubeflow_run: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {_token(pipelines, TENANT)}"}
    for method, path, body in _questions(pipelines, kubeflow_run["run"]):
        if method == "GET":
            assert _ask(pipelines, method, path, headers, body)[0] == 200, path


def test_no_header_names_a_person(pipelines: Platform, kubeflow_run: dict[str, Any]) -> None:
    """The name that the server waits for is none that a request can have."""
    (header,) = _environment(pipelines, "KUBEFLOW_USERID_HEADER")
    forged = {header: f"no header:system:serviceaccount:{SPACE}:{ACCOUNT}"}
    path = f"/apis/v2beta1/runs/{kubeflow_run['run']}"
    assert _ask(pipelines, "GET", path, forged, None)[0] == 400


def test_the_server_gives_logs_of_steps_to_nobody(pipelines: Platform, counting: str) -> None:
    """It would not ask who comes: Kubernetes gives them to the tenant's people."""
    run = _run(pipelines, counting, "kfp")["run"]
    ours = pods(Cluster.open(pipelines.kubeconfig), SPACE, {"pipeline/runid": run})
    assert ours
    for pod in ours:
        path = f"/apis/v1alpha1/runs/{run}/nodes/{pod['metadata']['name']}/log"
        for headers in ({}, {"Authorization": f"Bearer {_token(pipelines, 'other')}"}):
            assert SAID not in _ask(pipelines, "GET", path, headers, None)[1]
    assert SAID in KubernetesRuns(pipelines.kubeconfig).kfp_log(SPACE, run, "count", 50)


def _run(pipelines: Platform, pipeline: str, engine: str, *options: str) -> dict[str, Any]:
    of = ("-s", pipelines.stack, "-t", TENANT)
    return pipelines.json("pipeline", "run", pipeline, "--engine", engine, *of, *options)


def _api(pipelines: Platform, tenant: str = TENANT) -> PipelinesApi:
    namespace = contract.tenant_namespace(tenant)

    def cluster() -> Cluster:
        return Cluster.open(pipelines.kubeconfig)

    return PipelinesApi(inside(pipelines.kubeconfig, None, cluster, namespace), namespace)


def _questions(pipelines: Platform, run: str) -> Iterator[tuple[str, str, Any]]:
    """What the server is asked for: lists, one run, its artifacts, a new run and an end."""
    query = f"namespace={SPACE}"
    for kind in ("runs", "pipelines", "experiments", "recurringruns"):
        yield "GET", f"/apis/v2beta1/{kind}?{query}", None
    yield "GET", f"/apis/v2beta1/runs/{run}", None
    known = _api(pipelines).run(run)
    copied = ("display_name", "experiment_id", "pipeline_version_reference")
    yield "POST", "/apis/v2beta1/runs", {key: known[key] for key in copied}
    yield "POST", f"/apis/v2beta1/runs/{run}:terminate", None


def _ask(
    pipelines: Platform, method: str, path: str, headers: dict[str, str], body: Any
) -> tuple[int, str]:
    connection = tunnelled(
        pipelines.kubeconfig,
        None,
        title="Kubeflow Pipelines' API server",
        namespace=NAMESPACE,
        labels=SELECTOR,
        port=PORT,
        seconds=30,
    )
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


def _token(
    pipelines: Platform, tenant: str, account: str = ACCOUNT, audience: str = AUDIENCE
) -> str:
    """A token of one of the tenant's accounts; without an audience it is Kubernetes' own."""
    namespace = contract.tenant_namespace(tenant)
    spec = {"expirationSeconds": 3600, **({"audiences": [audience]} if audience else {})}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return str(Cluster.open(pipelines.kubeconfig).send("POST", path, body=body)["status"]["token"])


def _keys(pipelines: Platform, namespace: str, secret: str, bucket: str) -> list[str]:
    """The objects of a bucket, as the owner of a Secret sees them."""
    held = ClusterSecrets(pipelines.kubeconfig).read(namespace, secret)
    login = Login(held["accessKey"], held["secretKey"])
    client = s3_client(pipelines.outputs["object_endpoint"], login)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [each["Key"] for page in pages for each in page.get("Contents", ())]


def _environment(pipelines: Platform, name: str) -> list[str]:
    """Values of a variable of the API server."""
    (server, *_) = pods(Cluster.open(pipelines.kubeconfig), NAMESPACE, SELECTOR)
    (container,) = server["spec"]["containers"]
    return [each["value"] for each in container["env"] if each["name"] == name]


def _running(pipelines: Platform, run: str) -> list[Any]:
    found = pods(Cluster.open(pipelines.kubeconfig), SPACE, {"pipeline/runid": run})
    return [pod for pod in found if pod["status"].get("phase") == "Running"]


def _scheduled(pipelines: Platform, schedule: str) -> list[str]:
    """States of the runs that a schedule has started."""
    headers = {"Authorization": f"Bearer {_token(pipelines, TENANT)}"}
    path = f"/apis/v2beta1/runs?namespace={SPACE}&page_size=200"
    listed = json.loads(_ask(pipelines, "GET", path, headers, None)[1]).get("runs", ())
    # one that has just been made has no state yet
    return [str(run.get("state")) for run in listed if run.get("recurring_run_id") == schedule]


def _outcome(pipelines: Platform, workflow: str) -> str:
    of = ("-s", pipelines.stack, "-t", "other")
    events = pipelines.json("retrain", *of, BY_KFP, "--events")["events"]
    (found,) = [each for each in events if each["workflow"] == workflow]
    assert found["outcome"] != "failed", found
    return str(found["outcome"])


def _until(done: Any) -> None:
    ends = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < ends
        time.sleep(2)
