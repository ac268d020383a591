"""A real API server accepts what is rendered, and Pod Security `restricted` has no warning."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.charts.rendering import Manifest, planned, planned_values, render
from tests.engine.control_plane import ControlPlane, control_plane

_PLURALS = {"NetworkPolicy": "networkpolicies"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("control-plane"))


@pytest.mark.parametrize("stack", ["sandbox", "onprem-lab", "onprem-closed"])
def test_the_api_server_takes_every_object_without_a_warning(
    plane: ControlPlane, stack: str
) -> None:
    for _, chart in [each for each in planned() if each[0] == stack]:
        namespace, values = planned_values(stack, chart)
        _restricted_namespace(plane, namespace)
        for manifest in render(chart, values, namespace):
            refused, warned = _dry_run(plane, manifest)
            assert not refused, f"{manifest['kind']}/{manifest['metadata']['name']}: {refused}"
            assert not warned, f"{manifest['kind']}/{manifest['metadata']['name']}: {warned}"


def test_the_api_server_does_warn_of_a_pod_that_is_not_restricted(plane: ControlPlane) -> None:
    _restricted_namespace(plane, "mlflow")
    deployment = next(m for m in render("mlflow") if m["kind"] == "Deployment")
    loose = json.loads(json.dumps(deployment))
    loose["spec"]["template"]["spec"]["securityContext"].pop("seccompProfile")
    assert "seccompProfile" in (_dry_run(plane, loose)[1] or "")


def _restricted_namespace(plane: ControlPlane, name: str) -> None:
    levels = {f"pod-security.kubernetes.io/{m}": "restricted" for m in ("enforce", "warn")}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": levels}}
    if plane.request("GET", f"/api/v1/namespaces/{name}") is None:
        plane.request("POST", "/api/v1/namespaces", body)


def _dry_run(plane: ControlPlane, manifest: Manifest) -> tuple[str | None, str | None]:
    """Refusal and warning of a server-side apply that validates fields and changes nothing."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    path = f"{root}/namespaces/{manifest['metadata']['namespace']}/{plural}"
    query = "?dryRun=All&fieldManager=test&fieldValidation=Strict"
    request = urllib.request.Request(  # noqa: S310
        f"{plane.url}{path}/{manifest['metadata']['name']}{query}",
        method="PATCH",
        data=json.dumps(manifest).encode(),
        headers={
            "Authorization": f"Bearer {plane.token}",
            "Content-Type": "application/apply-patch+yaml",
        },
    )
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:  # noqa: S310
            return None, answer.headers.get("Warning")
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(), None
