"""Tenants are apart at Trainer and Katib: by tokens, at Katib's servers, and on the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.platform import Platform, cluster_client
from tests.kubeflow.training import cluster, work
from tests.kubeflow.training.cluster import OTHER, TENANT, Objects

PLURALS = ("experiments", "suggestions", "trials", "trainjobs", "trainingruntimes")
ACCOUNT = "notebook"

MANAGER = "katib-db-manager.kubeflow.svc:6789"
PAGES = "katib-ui.kubeflow.svc:80"
WEBHOOK = "katib-controller.kubeflow.svc:443"
SUGGESTION = "parabola-tpe.tenant-demo.svc:6789"
STOPPING = "parabola-tpe.tenant-demo.svc:6788"
SHARED = (MANAGER, PAGES, WEBHOOK)

KNOCK = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def answers(server):
    host, port = server.split(":")
    address = socket.gethostbyname(host)
    try:
        socket.create_connection((address, int(port)), timeout=5).close()
    except OSError:
        return False
    return True

with ThreadPoolExecutor() as pool:
    print(json.dumps(dict(zip(sys.argv[1:], pool.map(answers, sys.argv[1:])))))
"""
"""Which servers take a connection; a name that nobody knows is an error."""


@pytest.mark.parametrize("plural", PLURALS)
def test_a_token_of_another_tenant_is_refused_whatever_it_asks(
    training: Platform, plural: str
) -> None:
    from kubernetes.client import ApiException

    client = cluster.as_account(training, OTHER, ACCOUNT)
    theirs = Objects(client, plural)
    name = "parabola"
    body = {"metadata": {"name": name}}
    requests: dict[str, Callable[[], Any]] = {
        "get": lambda: theirs.get(name),
        "list": theirs.list,
        "watch": lambda: theirs.api.list_namespaced_custom_object(
            *theirs.place, watch=True, timeout_seconds=1
        ),
        "create": lambda: theirs.create(body),
        "update": lambda: theirs.api.replace_namespaced_custom_object(*theirs.place, name, body),
        "patch": lambda: theirs.patch(name, body),
        "delete": lambda: theirs.api.delete_namespaced_custom_object(*theirs.place, name),
        "delete all": lambda: theirs.api.delete_collection_namespaced_custom_object(*theirs.place),
        "status": lambda: theirs.api.patch_namespaced_custom_object_status(
            *theirs.place, name, body
        ),
        "everywhere": lambda: theirs.api.list_cluster_custom_object(
            *theirs.place[:2], theirs.place[3]
        ),
    }
    answers = {}
    for verb, send in requests.items():
        with pytest.raises(ApiException) as refused:
            send()
        answers[verb] = refused.value.status
    assert answers == dict.fromkeys(requests, 403)


def test_the_same_account_works_in_its_own_tenant(training: Platform) -> None:
    client = cluster.as_account(training, OTHER, ACCOUNT)
    for plural in ("experiments", "suggestions", "trials", "trainjobs"):
        assert Objects(client, plural, OTHER).list() == []


def test_katibs_server_takes_no_token_of_another_tenant(training: Platform) -> None:
    held = {"Authorization": f"Bearer {cluster.token(training, OTHER, ACCOUNT)}"}
    place = f"namespace={TENANT}&experimentName=parabola&suggestionName=parabola"
    with cluster.katib_server(training) as ask:
        for path in ("fetch_experiment", "fetch_suggestion", "fetch_hp_job_info"):
            assert ask(f"{path}/?{place}", held)[0] == 401, path
        for trial in ("fetch_trial", "fetch_trial_logs", "fetch_hp_job_trial_info"):
            assert ask(f"{trial}/?{place}&trialName=parabola", held)[0] == 401, trial
        assert ask(f"delete_experiment/?{place}", held)[0] == 401
        body = {"postData": {"metadata": {"name": "theirs", "namespace": TENANT}}}
        assert ask("create_experiment/", held, body)[0] == 401


def test_nobody_takes_a_template_from_another_tenants_config_map(training: Platform) -> None:
    """Katib would read it with its own rights, and print it in its refusal."""
    from kubernetes.client import ApiException

    mine = Objects(cluster.as_account(training, OTHER, ACCOUNT), "experiments", OTHER)
    body = work.experiment("curious", "none")
    template = body["spec"]["trialTemplate"]
    del template["trialSpec"]
    template["configMap"] = {
        "configMapName": "platform",
        "configMapNamespace": TENANT,
        "templatePath": "nothing",
    }
    with pytest.raises(ApiException) as refused:
        mine.create(body)
    assert refused.value.status in (403, 422)
    assert "of the experiment's own namespace" in refused.value.body
    assert "MLFLOW" not in refused.value.body


def test_services_of_an_experiment_answer_nobody_of_another_tenant(training: Platform) -> None:
    """Nor can anybody's Pod send a forged `kubeflow-userid` to the server that believes it."""
    cluster.until(lambda: _serves(training), "the service of the experiment")
    image = cluster.python_image(training)
    like_a_trial = {"katib.kubeflow.org/experiment": "parabola"}
    every, own = (*SHARED, SUGGESTION, STOPPING), (*SHARED, SUGGESTION)
    _knock(training, OTHER, "stranger", image, {}, every)
    _knock(training, TENANT, "ordinary", image, {}, own)
    _knock(training, TENANT, "trial", image, like_a_trial, own)
    closed = dict.fromkeys(SHARED, False)
    assert _answers(training, OTHER, "stranger") == dict.fromkeys(every, False)
    assert _answers(training, TENANT, "ordinary") == {**closed, SUGGESTION: True}
    assert _answers(training, TENANT, "trial") == {**closed, SUGGESTION: True, MANAGER: True}


def _serves(training: Platform) -> bool:
    found = cluster.pods(training, "katib.kubeflow.org/suggestion=parabola")
    conditions = [each for pod in found for each in pod.status.conditions or ()]
    return any(each.type == "Ready" and each.status == cluster.TRUE for each in conditions)


def _knock(
    training: Platform,
    namespace: str,
    name: str,
    image: str,
    labels: dict[str, str],
    servers: tuple[str, ...],
) -> None:
    from kubernetes.client import CoreV1Api

    container = {
        "name": "knock",
        "image": image,
        "command": ["python3", "-c", KNOCK, *servers],
        "resources": work.RESOURCES,
        "securityContext": work.SECURITY,
    }
    pod = {
        "metadata": {"name": name, "labels": {"test": name, **labels}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [container],
        },
    }
    CoreV1Api(cluster_client(training)).create_namespaced_pod(namespace, pod)


def _answers(training: Platform, namespace: str, name: str) -> dict[str, bool]:
    from kubernetes.client import CoreV1Api

    core: Any = CoreV1Api(cluster_client(training))
    ended = ("Succeeded", "Failed")
    cluster.until(
        lambda: core.read_namespaced_pod(name, namespace).status.phase in ended, f"Pod {name}"
    )
    printed = core.read_namespaced_pod_log(name, namespace)
    core.delete_namespaced_pod(name, namespace)
    answers: dict[str, bool] = json.loads(printed.splitlines()[-1])
    return answers
