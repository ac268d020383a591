"""What a site's network asks: registry, proxy, certificates, and images that it may not have."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.plan.images import denylist
from tests.unit.plan import plans
from tests.unit.plan.test_gates import refused

PROXIED = {
    "mode": "proxied",
    "ca": "/etc/site.pem",
    "packages": "https://pypi.example/simple",
    "proxy": {"https": "http://proxy.example:3128", "noProxy": [".example"]},
}


def test_proxy_and_certificates_reach_every_chart_with_pods() -> None:
    plan = plans.of_stack("onprem-prod")
    for component in plan.components:
        if not component.images:
            continue
        assert component.values["proxy"]["https"] == "http://proxy.prod.example:3128"
        assert component.values["trustedCa"] == {"configMap": "site-ca", "key": "ca.crt"}
        direct = component.values["proxy"]["noProxy"].split(",")
        assert {".svc", ".prod.example", "valkey.prod.example"} <= set(direct)


def test_they_reach_what_people_start() -> None:
    plan = plans.of_values(network=PROXIED, tenants={"a": {}})
    told = plan.component("tenant-a").values["platform"]
    assert told["HTTPS_PROXY"] == told["https_proxy"] == "http://proxy.example:3128"
    assert told["PIP_INDEX_URL"] == "https://pypi.example/simple"
    assert ".svc" in told["NO_PROXY"].split(",")


def test_a_connected_site_sets_none_of_it() -> None:
    for component in plans.of_values(tenants={"a": {}}).components:
        assert "proxy" not in component.values
        assert "trustedCa" not in component.values


def override(role: str, reference: str, **more: Any) -> dict[str, Any]:
    return {"network": {**more, "overrides": {role: reference}}}


@pytest.mark.parametrize(
    ("reference", "alternative"),
    [
        ("docker.io/bitnami/postgresql:17", "the project itself"),
        ("registry.example/mirror/bitnamilegacy/mlflow:3", "the project itself"),
        ("quay.io/minio/minio:latest", "versitygw or seaweedfs"),
        ("docker.io/library/redis:7.4.1", "valkey"),
        ("docker.io/library/redis:latest", "valkey"),
        ("docker.io/redis/redis-stack-server:7.4.0-v0", "valkey"),
        ("docker.io/seldonio/seldon-core-operator:1.18.2", "1.17.1"),
        ("docker.io/seldonio/seldonv2-controller:2.8.0", "kserve"),
    ],
)
def test_images_that_may_not_be_shipped(reference: str, alternative: str) -> None:
    found = denylist.denied(reference)
    assert found is not None
    assert alternative in found.alternative
    values = override("mlflow/server", reference)
    assert found.reason in refused(**values)["network.overrides.mlflow/server"]
    taken = plans.of_values(**values, licence={"policy": "any"})
    assert any(found.reason in each.message for each in taken.findings)


@pytest.mark.parametrize(
    "reference",
    [
        "docker.io/library/redis:7.2.5",
        "docker.io/valkey/valkey:8.1",
        "docker.io/seldonio/seldon-core-operator:1.17.1",
        "registry.example:5000/mlflow:3.17.2",
        "docker.io/seldonio/mlserver:1.7.1-mlflow",
    ],
)
def test_images_that_nothing_is_known_against(reference: str) -> None:
    assert denylist.denied(reference) is None
    plan = plans.of_values(**override("mlflow/server", reference))
    assert plan.component("mlflow").values["images"]["server"] == reference


def test_an_override_of_nothing_is_refused() -> None:
    found = refused(**override("mlflow/servr", "registry.example/mlflow:1"))
    assert "no component" in found["network.overrides.mlflow/servr"]


def test_a_closed_site_refuses_what_lies_elsewhere() -> None:
    found = refused(
        **override(
            "mlflow/server", "ghcr.io/mlflow/mlflow:v3", mode="closed", registry="r.example:5000"
        )
    )
    assert "the network is closed" in found["network.overrides.mlflow/server"]
