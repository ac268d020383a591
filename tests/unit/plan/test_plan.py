"""Order, secrets, addresses and chart values of a plan."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.plan import CONTRACT, NODE, FromConfig, Generated, Plan
from tests.golden import ROOT
from tests.unit.plan import plans

ONPREM = ["core", "sandbox", "onprem-dev", "onprem-prod", "onprem-closed"]
EXTERNAL = {
    "stores": {
        "sql": {"state": "external", "endpoint": "10.1.2.3:5433", "secret": "db"},
        "object": {"state": "external", "endpoint": "https://s3.example.com", "secret": "s3"},
        "kv": {"state": "removed"},
    },
    "secrets": {
        "db": {"username": {"env": "U"}, "password": {"env": "P"}},
        "s3": {"accessKey": {"env": "A"}, "secretKey": {"env": "S"}},
    },
}


def filled(plan: Plan) -> Plan:
    return plan.for_node("10.231.0.2")


@pytest.mark.parametrize("stack", ONPREM)
def test_needs_come_first(stack: str) -> None:
    done: set[str] = set()
    for component in plans.of_stack(stack).components:
        assert set(component.needs) <= done
        done.add(component.name)


def test_the_same_password_stands_on_both_sides() -> None:
    plan = plans.of_stack("sandbox")
    database = {
        (spec.namespace, spec.keys["password"])
        for component in plan.components
        for spec in component.secrets
        if spec.name == "mlflow-db"
    }
    assert database == {
        ("mlops-stores", Generated("mlflow-db")),
        ("mlflow", Generated("mlflow-db")),
    }
    objects = {
        (spec.namespace, spec.keys["secretKey"])
        for component in plan.components
        for spec in component.secrets
        if spec.name == "mlflow-s3"
    }
    assert objects == {
        ("mlops-stores", Generated("mlflow-s3")),
        ("mlflow", Generated("mlflow-s3")),
    }
    assert {"secret": "mlflow-db"} in plan.component("postgresql").values["databases"]


def test_external_stores_bring_their_own_login_and_address() -> None:
    plan = plans.of_values(**EXTERNAL)
    assert [component.name for component in plan.components] == ["mlflow"]
    mlflow = plan.component("mlflow")
    keys = {spec.name: spec.keys for spec in mlflow.secrets}
    assert keys["mlflow-db"]["password"] == FromConfig("db", "password")
    assert keys["mlflow-s3"]["accessKey"] == FromConfig("s3", "accessKey")
    assert mlflow.values["database"] == {"host": "10.1.2.3", "port": 5433, "secret": "mlflow-db"}
    assert mlflow.values["networkPolicy"]["servers"] == [
        {"cidr": "10.1.2.3/32", "port": 5433},
        {"cidr": "0.0.0.0/0", "port": 443},
    ]
    assert plan.outputs["object_endpoint"] == "https://s3.example.com"
    assert plan.outputs["lineage_endpoint"] is None


def test_an_external_key_value_stores_password_stands_where_jobs_look_for_it() -> None:
    stores = {"kv": {"state": "external", "endpoint": "kv.example:6379", "secret": "site-kv"}}
    plan = plans.of_values(stores=stores, secrets={"site-kv": {"password": {"env": "P"}}})
    (found,) = [s for c in plan.components for s in c.secrets if s.name == "valkey-auth"]
    assert (found.namespace, found.keys) == (
        "mlops-stores",
        {"password": FromConfig("site-kv", "password")},
    )


@pytest.mark.parametrize("stack", [*ONPREM, "aws-dev", "aws-prod"])
def test_the_contract_is_whole(stack: str) -> None:
    assert set(CONTRACT) <= set(plans.of_stack(stack).outputs)


def test_the_node_is_filled_in_everywhere() -> None:
    plan = plans.of_stack("sandbox")
    assert plan.outputs["tracking_uri"] == f"http://{NODE}:30500"
    assert plan.outputs["lineage_endpoint"] == f"redis://{NODE}:30637"
    assert NODE in plan.component("mlflow").values["allowedHosts"]
    done = filled(plan)
    assert NODE not in repr((done.outputs, done.components))
    assert "10.231.0.2" in done.component("mlflow").values["allowedHosts"]


def test_without_exposure_names_of_the_cluster_are_given() -> None:
    plan = plans.of_stack("onprem-closed")
    assert plan.outputs["tracking_uri"] == "http://mlflow.mlflow.svc:5000"
    assert plan.component("mlflow").values["service"] == {"type": "ClusterIP"}


@pytest.mark.parametrize("stack", ONPREM)
def test_clients_may_call_mlflow_by_every_name_of_its_service(stack: str) -> None:
    allowed = plans.of_stack(stack).component("mlflow").values["allowedHosts"]
    names = ("mlflow", "mlflow.mlflow", "mlflow.mlflow.svc", "mlflow.mlflow.svc.cluster.local")
    assert set(names) <= set(allowed)


def test_a_closed_site_pulls_from_its_registry_alone() -> None:
    for image in plans.of_stack("onprem-closed").images:
        assert image.reference.startswith("registry.site.example:5000/mlops-infra/")
    mirrored = plans.of_values(network={"mode": "closed", "registry": "r.example:5000"})
    assert "r.example:5000/docker.io/library/postgres:17.9" in {
        image.reference for image in mirrored.images
    }


@pytest.mark.parametrize("stack", ONPREM)
def test_charts_accept_the_values(stack: str) -> None:
    for component in filled(plans.of_stack(stack)).components:
        chart = ROOT / "charts" / component.chart
        defaults = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
        schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
        assert set(component.values) <= set(defaults)
        jsonschema.validate(merged(defaults, component.values), schema)


def merged(left: Any, right: Any) -> Any:
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return right
    result = copy.copy(left)
    for key, value in right.items():
        result[key] = merged(result[key], value) if key in result else value
    return result


@pytest.mark.parametrize("stack", ONPREM)
def test_every_object_is_labelled_with_its_stack(stack: str) -> None:
    for component in plans.of_stack(stack).components:
        assert component.values["commonLabels"]["mlops-infra.dev/stack"] == stack


@settings(max_examples=30, deadline=None)
@given(
    embedded=st.booleans(),
    auth=st.booleans(),
    sizing=st.sampled_from(["small", "medium", "large"]),
    kv=st.sampled_from(["managed", "removed"]),
    retain=st.booleans(),
)
def test_a_plan_is_a_function_of_its_input(
    embedded: bool, auth: bool, sizing: str, kv: str, retain: bool
) -> None:
    values = {
        "cluster": {"embedded": embedded, "sizing": sizing},
        "components": {"mlflow": {"settings": {"auth": auth}}},
        "stores": {"kv": {"state": kv}, "sql": {"retain": retain}},
    }
    plan = plans.of_values(**values)
    assert plan == plans.of_values(**values)
    assert json.dumps([dict(component.values) for component in plan.components])
    assert any(spec.name == "mlflow-auth" for c in plan.components for spec in c.secrets) is auth
    assert ("valkey" in plan.outputs["components"]) is (kv == "managed")
