"""A real API server accepts what is rendered, and Pod Security `restricted` has no warning."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.charts.rendering import Manifest, plan, planned_render, render
from tests.engine.control_plane import ControlPlane, control_plane, unverified

PATIENCE = 120
"""Seconds for an answer, or for a kind to be served: other tests keep the machine busy."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("control-plane"))


@pytest.mark.parametrize("stack", ["sandbox", "onprem-dev", "onprem-prod", "onprem-closed"])
def test_the_api_server_takes_every_object_without_a_warning(
    plane: ControlPlane, stack: str
) -> None:
    for each in plan(stack).components:
        planned, manifests = planned_render(stack, each.name)
        restricted_namespace(plane, planned.namespace)
        for manifest in manifests:
            name = f"{planned.name}: {manifest['kind']}/{manifest['metadata']['name']}"
            if space := manifest["metadata"].get("namespace"):
                restricted_namespace(plane, space)
            # what follows may be of a kind that this one brings
            lasting = manifest["kind"] == "CustomResourceDefinition"
            refused, warned = apply(plane, manifest, dry=not lasting)
            assert not refused, f"{name}: {refused}"
            assert not warned, f"{name}: {warned}"


def test_the_api_server_does_warn_of_a_pod_that_is_not_restricted(plane: ControlPlane) -> None:
    restricted_namespace(plane, "mlflow")
    deployment = next(m for m in render("mlflow") if m["kind"] == "Deployment")
    loose = json.loads(json.dumps(deployment))
    loose["spec"]["template"]["spec"]["securityContext"].pop("seccompProfile")
    assert "seccompProfile" in (apply(plane, loose, dry=True)[1] or "")


def test_every_definition_is_served_under_its_names(plane: ControlPlane) -> None:
    wanted = render("crds")
    for manifest in wanted:
        assert apply(plane, manifest, dry=False) == (None, None), manifest["metadata"]["name"]
    for manifest in wanted:
        spec, names = manifest["spec"], manifest["spec"]["names"]
        for version in spec["versions"]:
            an_object = {
                "apiVersion": f"{spec['group']}/{version['name']}",
                "kind": names["kind"],
                "metadata": {"name": "x", "namespace": "default"},
            }
            if spec["scope"] == "Cluster":
                an_object["metadata"].pop("namespace")
            _address(plane, an_object)
    served = {each["name"]: each for each in _resources(plane, "serving.kserve.io/v1beta1")}
    assert served["inferenceservices"]["shortNames"] == ["isvc"]
    assert "patch" in served["inferenceservices/status"]["verbs"]


def test_what_controllers_rely_on_is_filled_in(plane: ControlPlane) -> None:
    """Trainer refuses a job whose runtime has no kind, and people write its name alone."""
    for manifest in render("crds", {"groups": ["trainer.kubeflow.org", "jobset.x-k8s.io"]}):
        apply(plane, manifest, dry=False)
    job = _made(plane, "trainer.kubeflow.org/v1alpha1", "TrainJob", {"runtimeRef": {"name": "x"}})
    assert job["spec"]["runtimeRef"] == {
        "apiGroup": "trainer.kubeflow.org",
        "kind": "ClusterTrainingRuntime",
        "name": "x",
    }
    sets = {"replicatedJobs": [{"name": "node", "template": {"spec": {"parallelism": 2}}}]}
    (replicated,) = _made(plane, "jobset.x-k8s.io/v1alpha2", "JobSet", sets)["spec"][
        "replicatedJobs"
    ]
    assert (replicated["replicas"], replicated["groupName"]) == (1, "default")
    assert replicated["template"]["spec"] == {"parallelism": 2}, "what it does not know stays"


def _made(plane: ControlPlane, version: str, kind: str, spec: Manifest) -> Manifest:
    body = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "default"},
        "spec": spec,
    }
    path = _address(plane, body).rpartition("/")[0]
    made: Manifest = plane.request("POST", path, body) or {}
    return made


def test_an_experiment_takes_its_template_from_its_own_namespace_alone(plane: ControlPlane) -> None:
    """Katib would read any ConfigMap with its own rights, and print it in its refusal."""
    for manifest in render("crds", {"groups": ["kubeflow.org"]}):
        apply(plane, manifest, dry=False)
    admission = [m for m in render("katib") if "AdmissionPolicy" in m["kind"]]
    for manifest in admission:
        assert apply(plane, manifest, dry=False) == (None, None)
    assert len(admission) == 2
    until = time.monotonic() + 30
    while "own namespace" not in (_template(plane, "kube-system") or ""):
        assert time.monotonic() < until, "the policy is not in force"
        time.sleep(0.2)
    assert _template(plane, "default") is None
    assert _template(plane, None) is None


def _template(plane: ControlPlane, namespace: str | None) -> str | None:
    """What refuses an experiment in `default` with a ConfigMap of `namespace`, if it has one."""
    source = {"configMapName": "x", "configMapNamespace": namespace, "templatePath": "x"}
    template = {"configMap": source} if namespace else {"trialSpec": {"kind": "Job"}}
    body = {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": "x", "namespace": "default"},
        "spec": {"trialTemplate": template},
    }
    return apply(plane, body, dry=True)[0]


def test_kserves_objects_are_taken_with_every_runtime(plane: ControlPlane) -> None:
    restricted_namespace(plane, "kserve")
    for manifest in render("crds", {"groups": ["serving.kserve.io"]}):
        apply(plane, manifest, dry=False)
    for manifest in render("kserve"):
        assert apply(plane, manifest, dry=True) == (None, None), manifest["metadata"]["name"]


def _resources(plane: ControlPlane, version: str) -> list[Manifest]:
    found: list[Manifest] = (plane.request("GET", f"/apis/{version}") or {})["resources"]
    return found


def restricted_namespace(plane: ControlPlane, name: str) -> None:
    levels = {f"pod-security.kubernetes.io/{m}": "restricted" for m in ("enforce", "warn")}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": levels}}
    if plane.request("GET", f"/api/v1/namespaces/{name}") is None:
        plane.request("POST", "/api/v1/namespaces", body)


def _address(plane: ControlPlane, manifest: Manifest) -> str:
    """Path of the object. A kind just brought by a definition is there within a second or so."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for found in (plane.request("GET", root) or {}).get("resources", []):
            if found["kind"] == kind and "/" not in found["name"]:
                space = manifest["metadata"].get("namespace")
                place = f"/namespaces/{space}" if found["namespaced"] else ""
                return f"{root}{place}/{found['name']}/{manifest['metadata']['name']}"
        time.sleep(0.1)
    raise LookupError(f"the API server serves no {kind} of {version}")


def apply(plane: ControlPlane, manifest: Manifest, *, dry: bool) -> tuple[str | None, str | None]:
    """Refusal and warning of a server-side apply that validates fields."""
    query = "?fieldManager=test&fieldValidation=Strict" + ("&dryRun=All" if dry else "")
    request = urllib.request.Request(  # noqa: S310
        f"{plane.url}{_address(plane, manifest)}{query}",
        method="PATCH",
        data=json.dumps(manifest).encode(),
        headers={
            "Authorization": f"Bearer {plane.token}",
            "Content-Type": "application/apply-patch+yaml",
        },
    )
    try:
        with urllib.request.urlopen(request, context=unverified(), timeout=PATIENCE) as answer:  # noqa: S310
            return None, answer.headers.get("Warning")
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(), None
