"""Custom resources whose operator is gone: told, and resolved only with consent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_infra.errors import FoundError
from mlops_infra.progress import quiet
from mlops_infra.teardown import custom
from mlops_infra.teardown.cluster_access import ClusterAccess
from tests.engine.control_plane import ControlPlane

# the control plane of the tests has a certificate that it made for itself
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

GROUP = "made.example.com"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def definition(api_server: ControlPlane) -> Iterator[None]:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    api_server.request(
        "POST",
        DEFINITIONS,
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"widgets.{GROUP}"},
            "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
        },
    )
    ends = time.monotonic() + 20
    while api_server.request("GET", f"/apis/{GROUP}/v1") is None:
        assert time.monotonic() < ends
        time.sleep(0.1)
    yield
    api_server.request("DELETE", f"{DEFINITIONS}/widgets.{GROUP}")


def _make(plane: ControlPlane, namespace: str, name: str, *finalizers: str) -> None:
    body: dict[str, Any] = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": name, "finalizers": list(finalizers)},
    }
    path = f"/apis/{GROUP}/v1/namespaces/{namespace}/widgets"
    ends = time.monotonic() + 20
    # discovery tells of a kind a moment before the API server takes it
    while plane.request("POST", path, body) is None:
        assert time.monotonic() < ends
        time.sleep(0.1)


def _names(plane: ControlPlane, namespace: str) -> list[str]:
    found = plane.request("GET", f"/apis/{GROUP}/v1/namespaces/{namespace}/widgets")
    return [each["metadata"]["name"] for each in found["items"]]


def test_what_an_operator_lets_go_of_goes(
    api_server: ControlPlane, namespace: str, definition: None
) -> None:
    _make(api_server, namespace, "free")
    access = ClusterAccess(str(api_server.kubeconfig), None)
    custom.remove(access, "one", [namespace], quiet, remove_finalizers=False, patience=10)
    assert _names(api_server, namespace) == []


def test_a_finalizer_without_its_operator_is_told_and_dropped_with_consent_only(
    api_server: ControlPlane, namespace: str, definition: None
) -> None:
    _make(api_server, namespace, "held", f"{GROUP}/cleanup")
    access = ClusterAccess(str(api_server.kubeconfig), None)
    with pytest.raises(FoundError) as error:
        custom.remove(access, "one", [namespace], quiet, remove_finalizers=False, patience=1)
    (told,) = error.value.findings
    assert f"Widget {namespace}/held" in told
    assert f"{GROUP}/cleanup" in told
    assert "mlops-infra down -s one --remove-finalizers" in (error.value.hint or "")
    assert _names(api_server, namespace) == ["held"]

    custom.remove(access, "one", [namespace], quiet, remove_finalizers=True, patience=1)
    assert _names(api_server, namespace) == []


def test_what_stands_in_other_namespaces_is_not_touched(
    api_server: ControlPlane, namespace: str, definition: None
) -> None:
    _make(api_server, "default", "alien")
    access = ClusterAccess(str(api_server.kubeconfig), None)
    custom.remove(access, "one", [namespace], quiet, remove_finalizers=True, patience=1)
    assert _names(api_server, "default") == ["alien"]


def test_everything_with_the_label_is_found_whatever_its_kind(
    api_server: ControlPlane, namespace: str, definition: None
) -> None:
    _make(api_server, namespace, "one")
    labels = {"metadata": {"labels": {"mlops-infra.dev/stack": "seen"}}}
    path = f"/apis/{GROUP}/v1/namespaces/{namespace}/widgets/one"
    api_server.request("PATCH", path, labels)
    body = {"metadata": {"name": "two", **labels["metadata"]}}
    api_server.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)
    access = ClusterAccess(str(api_server.kubeconfig), None)
    found = {str(each) for each in access.labelled("mlops-infra.dev/stack=seen")}
    assert found == {f"Widget {namespace}/one", f"ConfigMap {namespace}/two"}
