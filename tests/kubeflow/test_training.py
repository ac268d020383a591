"""Trainer and Katib do what they are for: a job of two Pods, and a search that ends with a best."""

from __future__ import annotations

import http.client
import json
import shlex
import time
from collections.abc import Mapping
from typing import Any

from mlops_infra.kube.tunnel import forwarded_port
from tests.e2e.platform import Platform, cluster_client

TENANT = "tenant-demo"
TRAINER = ("trainer.kubeflow.org", "v1alpha1")
KATIB = ("kubeflow.org", "v1beta1")
PATIENCE = 900
"""Seconds; a machine that is busy pulls, starts and answers slowly."""

TOGETHER = """
import json, os, socket, sys, time

rank, head, port = int(os.environ["JOB_COMPLETION_INDEX"]), sys.argv[1], 29500
rows = [(x, 3.0 * x + 1.0) for x in range(20)][rank::2]

def connect():
    for _ in range(600):
        try:
            return socket.create_connection((head, port), timeout=60)
        except OSError:
            time.sleep(0.5)
    sys.exit("the first Pod does not answer")

if rank == 0:
    with socket.create_server(("", port)) as server:
        server.settimeout(600)
        other = server.accept()[0]
else:
    other = connect()
# two files: one that is both forgets what it has read ahead when it is written to
reader, writer = other.makefile("r"), other.makefile("w")
w = b = 0.0
for _ in range(4000):
    mine = [sum((w * x + b - y) * f(x) for x, y in rows) for f in (lambda x: x, lambda x: 1.0)]
    print(json.dumps(mine), file=writer, flush=True)
    theirs = json.loads(reader.readline())
    w, b = (v - 0.0005 * (m + t) for v, m, t in zip((w, b), mine, theirs))
print(f"rank={rank} w={w:.3f} b={b:.3f}")
"""
"""Least squares over rows that are apart: without the other's gradients neither finds the line."""

TRIAL = """
import time

for epoch in range(6):
    print(f"loss={(${trialParameters.x} - 1.0) ** 2 + 1.0 / (epoch + 1):.6f}", flush=True)
    time.sleep(1)
"""
"""The best is at x = 1."""

SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESOURCES = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}


def test_every_pod_is_real_and_ready(training: Platform) -> None:
    status = training.json("status", "-s", training.stack)
    assert status["problems"] == []
    states = {each["name"]: each["state"] for each in status["components"]}
    assert (states["trainer"], states["katib"]) == ("ready", "ready")


def test_a_training_job_of_two_pods_ends_with_what_both_have_learnt(training: Platform) -> None:
    spec = {
        # the name alone: group and kind are filled in
        "runtimeRef": {"name": "python"},
        "trainer": {
            "numNodes": 2,
            "command": ["python3", "-c", TOGETHER, "line-node-0-0.line"],
            "resourcesPerNode": RESOURCES,
        },
    }
    _make(training, TRAINER, "trainjobs", "TrainJob", "line", spec)
    job = _ended(training, TRAINER, "trainjobs", "line", {"Complete"})
    (node,) = job["status"]["jobsStatus"]
    assert (node["name"], node["succeeded"]) == ("node", 1)
    told = _logs(training, "jobset.sigs.k8s.io/jobset-name=line")
    assert sorted(told) == ["rank=0 w=3.000 b=1.000", "rank=1 w=3.000 b=1.000"]


def test_an_experiment_ends_with_its_best_trial(training: Platform) -> None:
    """With the service that stops trials early beside it, in a namespace that is restricted."""
    _make(training, KATIB, "experiments", "Experiment", "parabola", _experiment(training))
    found = _ended(training, KATIB, "experiments", "parabola", {"Succeeded"})["status"]
    best = found["currentOptimalTrial"]
    (value,) = [float(each["value"]) for each in best["parameterAssignments"]]
    (loss,) = [m for m in best["observation"]["metrics"] if m["name"] == "loss"]
    assert float(loss["min"]) == _close((value - 1.0) ** 2 + 1.0 / 6.0)
    assert found["trialsSucceeded"] + found.get("trialsEarlyStopped", 0) >= 4
    trials = _list(training, KATIB, "trials")
    tried = [
        float(m["min"])
        for trial in trials
        for m in trial["status"].get("observation", {}).get("metrics", [])
        if m["name"] == "loss"
    ]
    assert len(tried) >= 4
    assert float(loss["min"]) == min(tried)


def test_experiments_are_shown_to_people_of_their_tenant_alone(training: Platform) -> None:
    asked = f"/katib/fetch_experiments/?namespace={TENANT}"
    with forwarded_port(_kubectl(training), "kubeflow", "svc/katib-ui", 80) as port:
        assert _get(port, asked)[0] == 401
        assert _get(port, asked, {"kubeflow-userid": "kim"})[0] == 403
        code, told = _get(port, asked, {"kubeflow-userid": "lee"})
    assert code == 200
    assert [each["name"] for each in json.loads(told)] == ["parabola"]


def test_a_tenant_reaches_nothing_of_another(training: Platform) -> None:
    from kubernetes import client

    reviews: Any = client.AuthorizationV1Api(cluster_client(training))
    for group, kind in (("kubeflow.org", "experiments"), ("trainer.kubeflow.org", "trainjobs")):
        answers = {}
        for space in (TENANT, "tenant-other"):
            about = {"namespace": space, "verb": "create", "group": group, "resource": kind}
            asked = {"spec": {"user": "lee", "resourceAttributes": about}}
            answers[space] = reviews.create_subject_access_review(asked).status.allowed
        assert answers == {TENANT: True, "tenant-other": False}


def _experiment(training: Platform) -> dict[str, Any]:
    from kubernetes import client

    objects: Any = client.CustomObjectsApi(cluster_client(training))
    runtime = objects.get_cluster_custom_object(*TRAINER, "clustertrainingruntimes", "python")
    (job,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    (container,) = job["template"]["spec"]["template"]["spec"]["containers"]
    trial = {
        "name": "trial",
        "image": container["image"],
        # Katib joins the words for a shell that it puts around them
        "command": ["python3", "-u", "-c", shlex.quote(TRIAL)],
        "resources": RESOURCES,
        "securityContext": SECURITY,
    }
    pod = {"restartPolicy": "Never", "containers": [trial]}
    settings = [{"name": "min_trials_required", "value": "1"}, {"name": "start_step", "value": "3"}]
    return {
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "algorithm": {"algorithmName": "tpe"},
        "earlyStopping": {"algorithmName": "medianstop", "algorithmSettings": settings},
        "parallelTrialCount": 2,
        "maxTrialCount": 5,
        "maxFailedTrialCount": 1,
        "parameters": [
            {
                "name": "x",
                "parameterType": "double",
                "feasibleSpace": {"min": "-4", "max": "4"},
            }
        ],
        "trialTemplate": {
            "primaryContainerName": "trial",
            "trialParameters": [{"name": "x", "reference": "x"}],
            "trialSpec": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "spec": {"backoffLimit": 0, "template": {"spec": pod}},
            },
        },
    }


def _make(
    training: Platform, group: tuple[str, str], plural: str, kind: str, name: str, spec: Any
) -> None:
    from kubernetes import client

    body = {
        "apiVersion": "/".join(group),
        "kind": kind,
        "metadata": {"name": name, "namespace": TENANT},
        "spec": spec,
    }
    objects: Any = client.CustomObjectsApi(cluster_client(training))
    objects.create_namespaced_custom_object(*group, TENANT, plural, body)


def _ended(
    training: Platform, group: tuple[str, str], plural: str, name: str, wanted: set[str]
) -> dict[str, Any]:
    """The object once one of its conditions `wanted` is true.

    Raises:
        AssertionError: it has failed, or took too long.
    """
    from kubernetes import client

    objects: Any = client.CustomObjectsApi(cluster_client(training))
    ends = time.monotonic() + PATIENCE
    while True:
        found: dict[str, Any] = objects.get_namespaced_custom_object(*group, TENANT, plural, name)
        conditions = found.get("status", {}).get("conditions", [])
        true = {each["type"] for each in conditions if each["status"] == "True"}
        if true & wanted:
            return found
        assert "Failed" not in true, conditions
        assert time.monotonic() < ends, f"{found.get('status')}\n{_events(training)}"
        time.sleep(2)


def _list(training: Platform, group: tuple[str, str], plural: str) -> list[dict[str, Any]]:
    from kubernetes import client

    objects: Any = client.CustomObjectsApi(cluster_client(training))
    found: list[dict[str, Any]]
    found = objects.list_namespaced_custom_object(*group, TENANT, plural)["items"]
    return found


def _logs(training: Platform, selector: str) -> list[str]:
    from kubernetes import client

    core: Any = client.CoreV1Api(cluster_client(training))
    pods = core.list_namespaced_pod(TENANT, label_selector=selector).items
    return [core.read_namespaced_pod_log(p.metadata.name, TENANT).strip() for p in pods]


def _events(training: Platform) -> str:
    from kubernetes import client

    core: Any = client.CoreV1Api(cluster_client(training))
    events = core.list_namespaced_event(TENANT).items
    return "\n".join(f"{e.involved_object.name}: {e.message}" for e in events[-30:])


def _kubectl(training: Platform) -> list[str]:
    from mlops_infra import toolchain
    from mlops_infra.progress import quiet

    program = toolchain.ensure(["kubectl"], quiet)["kubectl"].path
    return [str(program), "--kubeconfig", str(training.kubeconfig)]


def _get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=dict(headers or {}))
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def _close(value: float) -> Any:
    import pytest

    return pytest.approx(value, abs=1e-4)
