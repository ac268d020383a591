"""Notebooks that Kubeflow's real controller starts: a token always, and each person their own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mlops_infra import toolchain
from mlops_infra.kube.tunnel import forwarded_port
from mlops_infra.lifecycle.services.credentials import ClusterSecrets
from mlops_infra.progress import quiet
from tests.e2e.notebook import Notebook
from tests.e2e.platform import Platform, cluster_client
from tests.upstream.in_tenant import statuses

NOTEBOOK = ("kubeflow.org", "v1", "notebooks")
PATIENCE = 300
"""Seconds for a notebook to start."""
PEOPLE = {"kim": "demo", "ana": "demo", "park": "other"}
"""Members with a notebook, and their tenants."""
FORGED = {"kubeflow-userid": "kim"}
"""How upstream's own web application knows people, behind Istio."""

LOOK = """
import json
from kubernetes import client, config

config.load_incluster_config()
objects, core = client.CustomObjectsApi(), client.CoreV1Api()

def status(method, *words, **more):
    try:
        method(*words, **more)
    except client.ApiException as error:
        return error.status
    return 200

def seldon(space):
    words = ("machinelearning.seldon.io", "v1", space, "seldondeployments")
    return status(objects.list_namespaced_custom_object, *words)

print(json.dumps({
    "own servers": seldon("tenant-demo"),
    "servers of others": seldon("tenant-other"),
    "own tokens": status(core.read_namespaced_secret, "notebook-ana", "tenant-demo"),
    "tokens of others": status(core.read_namespaced_secret, "notebook-park", "tenant-other"),
}))
"""


@pytest.mark.parametrize("person", PEOPLE)
def test_a_notebook_object_starts_a_real_pod(person: str, notebooks: Platform) -> None:
    found = _ready(notebooks, person)
    assert "running" in found["status"]["containerState"]
    true = {c["type"] for c in found["status"]["conditions"] if c["status"] == "True"}
    assert "Ready" in true
    pod = _core(notebooks).read_namespaced_pod(f"{person}-0", f"tenant-{PEOPLE[person]}")
    assert pod.spec.node_name
    assert pod.spec.security_context.run_as_non_root


@pytest.mark.parametrize("person", PEOPLE)
def test_it_opens_with_its_own_persons_token_alone(person: str, notebooks: Platform) -> None:
    with _notebook(notebooks, person) as own:
        assert own.status() == 200
        assert own.run("print(6 * 7)") == "42\n"
        for token in ("", *(_token(notebooks, other) for other in PEOPLE if other != person)):
            assert Notebook(own.url, token).status() == 403
            assert Notebook(own.url, token).status("api/kernels") == 403


def test_a_name_in_a_header_opens_nothing(notebooks: Platform) -> None:
    """From a Pod of the tenant, which reaches its notebooks without the edge."""
    asked = ("api/status", "api/contents", "api/kernels")
    inside = [(f"{_inside('kim')}{path}", FORGED) for path in asked]
    health = [(f"{_inside('kim')}api", FORGED)]
    assert statuses(notebooks, "demo", [*health, *inside]) == [200, 403, 403, 403]
    katib = "http://katib-ui.kubeflow.svc/katib/fetch_experiments/?namespace=tenant-other"
    assert statuses(notebooks, "demo", [(katib, {"kubeflow-userid": "park"})]) == [None]
    with_token = {**FORGED, "Authorization": f"token {_token(notebooks, 'ana')}"}
    assert statuses(notebooks, "demo", [(inside[0][0], with_token)]) == [403]


def test_pods_of_another_tenant_reach_no_notebook(notebooks: Platform) -> None:
    pod = _core(notebooks).read_namespaced_pod("kim-0", "tenant-demo")
    opened = {**FORGED, "Authorization": f"token {_token(notebooks, 'kim')}"}
    path = "/notebook/tenant-demo/kim/api"
    urls = [f"{_inside('kim')}api", f"http://{pod.status.pod_ip}:8888{path}"]
    assert statuses(notebooks, "demo", [(url, opened) for url in urls]) == [200, 200]
    assert statuses(notebooks, "other", [(url, opened) for url in urls]) == [None, None]


def test_people_of_another_tenant_reach_no_notebook_by_the_api_server(notebooks: Platform) -> None:
    from kubernetes import client

    reviews: Any = client.AuthorizationV1Api(cluster_client(notebooks))
    acts = [
        ("kubeflow.org", "notebooks", "", "list"),
        ("kubeflow.org", "notebooks", "", "create"),
        ("", "secrets", "", "get"),
        ("", "pods", "portforward", "create"),
        ("", "pods", "exec", "create"),
    ]

    def allowed(person: str, space: str) -> list[bool]:
        found = []
        for group, resource, part, verb in acts:
            about = {"namespace": space, "group": group, "resource": resource, "verb": verb}
            about |= {"subresource": part} if part else {}
            asked = {"spec": {"user": person, "resourceAttributes": about}}
            found.append(bool(reviews.create_subject_access_review(asked).status.allowed))
        return found

    assert allowed("park", "tenant-demo") == [False] * len(acts)
    assert allowed("ana", "tenant-demo") == [True, True, False, True, False]


def test_a_notebook_sees_model_servers_of_its_tenant_and_nobodys_tokens(
    seldon: Platform, notebooks: Platform
) -> None:
    with _notebook(notebooks, "kim") as own:
        told = json.loads(own.run(LOOK))
    assert told == {
        "own servers": 200,
        "servers of others": 403,
        "own tokens": 403,
        "tokens of others": 403,
    }


def test_a_stopped_notebook_starts_again_with_its_files(notebooks: Platform) -> None:
    with _notebook(notebooks, "ana") as own:
        own.run("open('/home/notebook/kept.txt', 'w').write('kept')")
    stopped = "kubeflow-resource-stopped"
    _annotate(notebooks, "ana", {stopped: "2026-01-01T00:00:00Z"})
    ends = time.monotonic() + PATIENCE
    while _pods(notebooks, "ana"):
        assert time.monotonic() < ends, "it does not stop"
        time.sleep(1)
    _annotate(notebooks, "ana", {stopped: None})
    with _notebook(notebooks, "ana") as own:
        assert own.run("print(open('/home/notebook/kept.txt').read())") == "kept\n"


def _core(notebooks: Platform) -> Any:
    from kubernetes import client

    return client.CoreV1Api(cluster_client(notebooks))


def _objects(notebooks: Platform) -> Any:
    from kubernetes import client

    return client.CustomObjectsApi(cluster_client(notebooks))


def _ready(notebooks: Platform, person: str) -> dict[str, Any]:
    """The Notebook once its Pod is ready."""
    group, version, plural = NOTEBOOK
    where = (group, version, f"tenant-{PEOPLE[person]}", plural, person)
    ends = time.monotonic() + PATIENCE
    while True:
        found: dict[str, Any] = _objects(notebooks).get_namespaced_custom_object(*where)
        if found.get("status", {}).get("readyReplicas") == 1 and _pods(notebooks, person):
            return found
        assert time.monotonic() < ends, found.get("status")
        time.sleep(1)


def _pods(notebooks: Platform, person: str) -> list[Any]:
    selector = f"notebook-name={person}"
    found: list[Any] = (
        _core(notebooks)
        .list_namespaced_pod(f"tenant-{PEOPLE[person]}", label_selector=selector)
        .items
    )
    return found


def _annotate(notebooks: Platform, person: str, annotations: dict[str, str | None]) -> None:
    group, version, plural = NOTEBOOK
    where = (group, version, f"tenant-{PEOPLE[person]}", plural, person)
    body = {"metadata": {"annotations": annotations}}
    _objects(notebooks).patch_namespaced_custom_object(*where, body)


def _token(notebooks: Platform, person: str) -> str:
    held = ClusterSecrets(notebooks.kubeconfig).read(
        f"tenant-{PEOPLE[person]}", f"notebook-{person}"
    )
    return held["token"]


def _path(person: str) -> str:
    return f"/notebook/tenant-{PEOPLE[person]}/{person}/"


def _inside(person: str) -> str:
    """Where Pods find it."""
    return f"http://{person}.tenant-{PEOPLE[person]}.svc.cluster.local{_path(person)}"


@contextmanager
def _notebook(notebooks: Platform, person: str) -> Iterator[Notebook]:
    """A person's notebook as its person reaches it without an edge, with the right token."""
    _ready(notebooks, person)
    program = toolchain.ensure(["kubectl"], quiet)["kubectl"].path
    kubectl = [str(program), "--kubeconfig", str(notebooks.kubeconfig)]
    space = f"tenant-{PEOPLE[person]}"
    with forwarded_port(kubectl, space, f"svc/{person}", 80) as port:
        yield Notebook(f"http://127.0.0.1:{port}{_path(person)}", _token(notebooks, person))
