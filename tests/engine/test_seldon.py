"""A SeldonDeployment against a real API server: Pod Security, quotas and events are the real ones.

The operator is a fake, named as such; the kubelet too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.kube import ApiError
from mlops_infra.lifecycle.services.kubernetes_objects import KubernetesCluster
from mlops_infra.lifecycle.serving.interface import CannotServe, Service
from mlops_infra.lifecycle.serving.seldon import Loader, Seldon
from tests.charts.rendering import CASES, render
from tests.engine.control_plane import ControlPlane
from tests.engine.fake_seldon_operator import FakeSeldonOperator, definition

TENANT = "seldon-test"
NAMESPACE = f"tenant-{TENANT}"
SERVICE = Service(TENANT, "wine", "3", f"s3://{NAMESPACE}/models/wine/3/files")


def alive() -> None:
    pass


@pytest.fixture(scope="module")
def tenant(api_server: ControlPlane) -> Iterator[ControlPlane]:
    """A tenant's namespace as the platform makes it: restricted."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": restricted}}
    api_server.request("POST", "/api/v1/namespaces", space)
    account = {"kind": "ServiceAccount", "metadata": {"name": "serving"}}
    api_server.request("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    api_server.request("POST", crds, definition())
    name = definition()["metadata"]["name"]
    api_server.until(lambda: _established(api_server.request("GET", f"{crds}/{name}")))
    yield api_server
    api_server.request("DELETE", f"{crds}/{name}")
    api_server.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


def _established(found: dict[str, Any]) -> bool:
    conditions = found.get("status", {}).get("conditions", ())
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


@pytest.fixture
def seldon(
    tenant: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Seldon]]:
    """Makes a `Seldon` whose operator starts servers of an image; all is gone afterwards."""
    operators: list[FakeSeldonOperator] = []
    made = Seldon(KubernetesCluster(tenant.kubeconfig), Loader("ready/rclone:1"))

    def start(image: str) -> Seldon:
        operators.append(FakeSeldonOperator(tenant, NAMESPACE, image))
        operators[-1].start()
        return made

    yield start
    for operator in operators:
        operator.stop()
    _gone(made, tenant)


def _gone(made: Seldon, tenant: ControlPlane) -> None:
    made.delete(TENANT, SERVICE.name)
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    tenant.until(lambda: not tenant.request("GET", pods)["items"])


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_its_pods_pass_pod_security_restricted(seldon: Callable[[str], Seldon]) -> None:
    made = seldon("ready/mlserver:1")
    made.deploy(SERVICE)
    url = made.wait(SERVICE, 30, alive).url
    assert url == f"http://wine-v3-default.{NAMESPACE}.svc.cluster.local:8000"
    assert made.deployed(TENANT, "wine") == ["wine-v3"]
    scaling = made.scaling(TENANT, "wine-v3")
    assert scaling is not None
    assert (scaling.least, scaling.most) == (1, 1)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_available_is_not_served(seldon: Callable[[str], Seldon]) -> None:
    made = seldon("slow/mlserver:1")
    made.deploy(SERVICE)
    with pytest.raises(CannotServe, match="0 of 1 Pods have loaded the model"):
        made.wait(SERVICE, 3, alive)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_crash_loop_is_told_although_the_operator_calls_it_available(
    seldon: Callable[[str], Seldon],
) -> None:
    made = seldon("crash/mlserver:1")
    made.deploy(SERVICE)
    with pytest.raises(CannotServe, match="crash loop, Error with exit code 3"):
        made.wait(SERVICE, 30, alive)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_quota_that_was_in_the_way_does_not_fail_the_next_try(
    seldon: Callable[[str], Seldon], tenant: ControlPlane
) -> None:
    quotas = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"
    hard = {"kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    tenant.request("POST", quotas, hard)
    tenant.until(lambda: "hard" in tenant.request("GET", f"{quotas}/none").get("status", {}))
    made = seldon("ready/mlserver:1")
    made.deploy(SERVICE)
    try:
        with pytest.raises(CannotServe, match="exceeded quota"):
            made.wait(SERVICE, 30, alive)
    finally:
        tenant.request("DELETE", f"{quotas}/none")
    made.delete(TENANT, SERVICE.name)  # as a promotion that is rolled back does
    deployments = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    tenant.until(lambda: not tenant.request("GET", deployments)["items"])
    time.sleep(0.5)
    made.deploy(SERVICE)
    assert made.wait(SERVICE, 30, alive).name == "wine-v3"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_tenants_pipelines_serve_in_their_own_namespace_alone(
    tenant: ControlPlane, tmp_path: Path
) -> None:
    other = f"{TENANT}-other"
    tenant.request(
        "POST", "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": f"tenant-{other}"}}
    )
    for namespace in (NAMESPACE, f"tenant-{other}"):
        _accounts(tenant, namespace)
    asked = {"kind": "TokenRequest", "spec": {"audiences": []}}
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    token = tenant.request("POST", f"{accounts}/pipeline/token", asked)["status"]["token"]
    held = json.loads(tenant.kubeconfig.read_text())
    held["users"][0]["user"]["token"] = token
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(held))
    pipeline = Seldon(KubernetesCluster(kubeconfig), Loader("ready/rclone:1"))
    pipeline.deploy(SERVICE)
    assert pipeline.delete(TENANT, SERVICE.name)
    for act in (
        lambda: pipeline.deploy(Service(other, "wine", "3", SERVICE.storage)),
        lambda: pipeline.deployed(other, "wine"),
        lambda: pipeline.delete(other, SERVICE.name),
    ):
        with pytest.raises(ApiError) as refused:
            act()
        assert refused.value.status == 403
    tenant.request("DELETE", f"/api/v1/namespaces/tenant-{other}")


def _accounts(tenant: ControlPlane, namespace: str) -> None:
    """The account of pipelines and its rights, as the chart `tenant` has them."""
    paths = {
        "ServiceAccount": f"/api/v1/namespaces/{namespace}/serviceaccounts",
        "Role": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
        "RoleBinding": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    }
    for manifest in render("tenant", CASES["tenant"].values, namespace):
        if manifest["kind"] in paths and manifest["metadata"]["name"] == "pipeline":
            tenant.request("POST", paths[manifest["kind"]], manifest)
