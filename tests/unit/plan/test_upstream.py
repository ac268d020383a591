"""Plans with components of upstream's images: what they refuse, and how they find each other."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.config import parse
from mlops_infra.errors import ConfigError
from mlops_infra.plan import FromConfig, Plan, PlanError
from tests.unit.plan import plans

MANAGED = {"state": "managed"}


def _refused(**values: Any) -> dict[str, str]:
    with pytest.raises(PlanError) as caught:
        plans.of_values(**values)
    return {p.path: f"{p.message} {p.suggestion}" for p in caught.value.problems}


def _edge(**settings: Any) -> dict[str, Any]:
    return {"envoy-gateway": {"state": "managed", "settings": settings}}


def _with_login() -> Plan:
    return plans.of_values(
        secrets={
            "tls": {"certificate": {"file": "/x/crt"}, "key": {"file": "/x/key"}},
            "login": {"clientSecret": {"env": "CLIENT_SECRET"}},
        },
        components=_edge(
            hostname="ml.example.com",
            certificate="tls",
            oidc={"issuer": "https://login.example.com", "clientId": "ml", "secret": "login"},
        ),
    )


def test_seldon_is_chosen_knowingly_or_not_at_all() -> None:
    told = _refused(components={"seldon-core": MANAGED})["components.seldon-core"]
    assert "explicit choice" in told
    assert "'kserve'" in told
    accepted = {"accept": ["seldon-core"]}
    assert "seldon-core" in {
        c.name
        for c in plans.of_values(components={"seldon-core": MANAGED}, licence=accepted).components
    }


@pytest.mark.parametrize("policy", ["permissive", "commercial"])
def test_to_know_of_old_seldon_is_not_to_take_the_new_one(policy: str) -> None:
    wanted = {"seldon-core": {**MANAGED, "version": "1.18.2"}}
    told = _refused(components=wanted, licence={"policy": policy, "accept": ["seldon-core"]})[
        "components.seldon-core"
    ]
    assert "BUSL-1.1" in told
    assert "'kserve'" in told


def test_the_edge_leads_to_what_the_stack_has() -> None:
    plan = plans.of_values(components=_edge(hostname="ml.example.com"))
    edge = plan.component("envoy-gateway")
    (route,) = edge.values["routes"]
    assert (route["name"], route["namespace"], route["port"]) == ("mlflow", "mlflow", 5000)
    assert "mlflow" in edge.needs
    assert "mlflow.ml.example.com" in plan.component("mlflow").values["allowedHosts"]
    assert {
        "namespace": "gateway",
        "podLabels": {"app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy"},
    } in plan.component("mlflow").values["networkPolicy"]["clients"]


def test_a_login_takes_its_secret_by_reference() -> None:
    edge = _with_login().component("envoy-gateway")
    keys = {spec.name: spec.keys for spec in edge.secrets}
    assert keys["edge-login"] == {"client-secret": FromConfig("login", "clientSecret")}
    assert keys["edge-certificate"]["tls.key"] == FromConfig("tls", "key")
    assert edge.values["oidc"]["secret"] == "edge-login"
    assert "edge-login" not in {
        s.name for s in plans.of_values(components=_edge()).component("envoy-gateway").secrets
    }


def test_a_login_needs_a_certificate_and_secrets_that_are_there() -> None:
    login = {"issuer": "https://login.example.com", "clientId": "ml", "secret": "missing"}
    with pytest.raises(ConfigError) as caught:
        parse(
            {"profile": "onprem", "environment": "x", "components": _edge(oidc=login)},
        )
    told = {problem.path for problem in caught.value.problems}
    assert "components.envoy-gateway.settings.certificate" in told
    assert "components.envoy-gateway.settings.oidc.secret" in told


def test_several_postgresql_servers_are_reached_like_one() -> None:
    def host(engine: str) -> Any:
        plan = plans.of_values(stores={"sql": {"engine": engine}})
        return plan.component("mlflow").values["database"]["host"]

    assert host("cloudnative-pg") == host("postgresql") == "postgresql.mlops-stores.svc"
    plan = plans.of_values(
        stores={"sql": {"engine": "cloudnative-pg"}}, components={"katib": MANAGED}
    )
    databases = plan.component("cloudnative-pg").values["databases"]
    assert {"name": "katib", "owner": "katib", "secret": "katib-db"} in databases


@pytest.mark.parametrize("simulated", [True, False])
def test_nobody_waits_for_operators_that_do_not_run(simulated: bool) -> None:
    plan = plans.of_values(
        cluster={"embedded": True} if simulated else {"context": "x"},
        stores={"sql": {"engine": "cloudnative-pg"}},
    )
    values = plan.component("cloudnative-pg").values
    assert plan.component("cloudnative-pg").simulated is simulated
    assert values["awaitReady"] is values["webhook"]["enabled"] is not simulated


def test_kubeflows_notebooks_take_the_place_of_the_others() -> None:
    plan = plans.of_values(
        components={"notebooks": {"state": "managed", "settings": {"engine": "kubeflow"}}},
        tenants={"demo": {"members": ["kim"]}},
    )
    names = {component.name for component in plan.components}
    assert "kubeflow-notebooks" in names
    assert "notebooks" not in names


def test_nobody_but_root_administers_seaweedfs() -> None:
    plan = plans.of_stack("onprem-prod")
    store = plan.component("seaweedfs").values
    found = {each["secret"]: each["actions"] for each in store["auth"]["users"]}
    tenants = sorted(each.namespace for each in plan.components if each.tenant)
    for tenant in tenants:
        assert found[f"{tenant}-s3"] == [
            f"{each}:{tenant}" for each in ("List", "Read", "Write", "Tagging")
        ]
    assert found["lifecycle-s3"] == [f"List:{tenant}" for tenant in tenants]
    assert set(tenants) < set(store["buckets"])
    secrets = {spec.name for spec in plan.component("seaweedfs").secrets}
    assert found.keys() == secrets - {"object-store-root"}
    assert not any(each.startswith("Admin") for actions in found.values() for each in actions)


def test_pipelines_tell_our_mlflow_unless_told_not_to() -> None:
    def told(**settings: Any) -> Any:
        components = {
            "kubeflow-pipelines": {"state": "managed", "settings": settings},
            "argo-workflows": MANAGED,
        }
        return plans.of_values(components=components).component("kubeflow-pipelines").values

    assert told()["mlflow"]["endpoint"] == "http://mlflow.mlflow.svc:5000"
    assert told(mlflow=False)["mlflow"]["endpoint"] == ""
    assert told()["objectStore"]["host"] == "versitygw.mlops-stores.svc"
