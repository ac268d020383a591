"""What a tenant gets, and what it does not: accounts, walls, surroundings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.config.language.quantities import doubled
from mlops_infra.errors import ConfigError
from mlops_infra.plan import FromConfig, Generated, Literal, Plan, SecretSpec
from tests.unit.plan import plans

MANAGED = {"state": "managed"}
TENANTS = {"a": {"members": ["kim"], "onRemoval": "purge"}, "b": {}}


def planned(**more: Any) -> Plan:
    components = {"mlflow": {"settings": {"auth": True}}, "lifecycle": MANAGED, "kserve": MANAGED}
    # a registry, because nobody publishes the image of steps and notebooks
    network = {"registry": "r.example:5000"}
    values = {"tenants": TENANTS, "components": components, "network": network}
    return plans.of_values(**{**values, **more})


def secret(plan: Plan, component: str, name: str) -> SecretSpec:
    return next(each for each in plan.component(component).secrets if each.name == name)


@pytest.mark.parametrize(
    ("provider", "beside", "own"),
    [
        ("versitygw", "s3", "object-store"),
        ("postgresql", "db", "lifecycle-db"),
        ("valkey", "kv", "lineage"),
        ("mlflow", "mlflow", "mlflow"),
        ("lifecycle", "token", "gateway-token"),
    ],
)
def test_an_account_is_the_same_on_both_sides_and_nobody_elses(
    provider: str, beside: str, own: str
) -> None:
    plan = planned()
    for tenant in TENANTS:
        there = secret(plan, provider, f"tenant-{tenant}-{beside}")
        here = secret(plan, f"tenant-{tenant}", own)
        assert there.keys == here.keys
        assert here.namespace == f"tenant-{tenant}" != there.namespace
    generated = [
        value.id
        for name in ("tenant-a", "tenant-b")
        for spec in plan.component(name).secrets
        if not spec.name.startswith("serving-")  # the same keys under other names
        for value in spec.keys.values()
        if isinstance(value, Generated)
    ]
    assert len(generated) == len(set(generated))
    platform = {"object-store-root", "postgresql-admin", "valkey-auth", "mlflow-auth"}
    assert not platform & set(generated)


def test_a_bucket_and_what_becomes_of_it() -> None:
    buckets = planned().component("versitygw").values["buckets"]
    assert {each["name"]: each["onRemoval"] for each in buckets} == {
        "mlflow": "",
        "tenant-a": "purge",
        "tenant-b": "archive",
    }


def test_models_are_fetched_with_the_tenants_keys() -> None:
    spec = secret(planned(), "tenant-a", "serving-s3")
    assert spec.annotations["serving.kserve.io/s3-endpoint"] == "versitygw.mlops-stores.svc:7070"
    assert spec.annotations["serving.kserve.io/s3-usehttps"] == "0"
    assert set(spec.keys) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


SELDON = {
    "components": {"kserve": MANAGED, "seldon-core": MANAGED, "lifecycle": MANAGED},
    "licence": {"accept": ["seldon-core"]},
}


def test_seldons_loader_reads_the_tenants_own_keys() -> None:
    plan = planned(**SELDON)
    own = secret(plan, "tenant-a", "object-store").keys
    keys = secret(plan, "tenant-a", "serving-rclone").keys
    assert keys["RCLONE_CONFIG_S3_ACCESS_KEY_ID"] == own["accessKey"]
    assert keys["RCLONE_CONFIG_S3_SECRET_ACCESS_KEY"] == own["secretKey"]
    plain = {name: value.value for name, value in keys.items() if isinstance(value, Literal)}
    assert plain["RCLONE_CONFIG_S3_ENDPOINT"] == "http://versitygw.mlops-stores.svc:7070"
    assert plain["RCLONE_CONFIG_S3_TYPE"] == "s3"
    assert plain["RCLONE_CONFIG_S3_ENV_AUTH"] == "false"
    without = {spec.name for spec in planned().component("tenant-a").secrets}
    assert "serving-rclone" not in without


def test_tenants_see_nothing_of_each_other_in_mlflow() -> None:
    auth = planned().component("mlflow").values["auth"]
    assert auth["defaultPermission"] == "NO_PERMISSIONS"
    assert auth["users"] == [{"secret": "tenant-a-mlflow"}, {"secret": "tenant-b-mlflow"}]
    told = {each.path for each in plans.of_values(tenants=TENANTS).findings}
    assert "components.mlflow.settings.auth" in told


def test_surroundings_name_no_secret_and_no_other_tenant() -> None:
    told = planned().component("tenant-a").values["platform"]
    assert told["MLOPS_INFRA_TENANT"] == "a"
    assert told["MLOPS_INFRA_BUCKET"] == "tenant-a"
    assert told["MLFLOW_TRACKING_URI"] == "http://mlflow.mlflow.svc:5000"
    assert told["MLOPS_INFRA_LINEAGE"] == "redis://tenant-a@valkey.mlops-stores.svc:6379"
    assert "tenant-b" not in str(told)


def test_only_declared_paths_cross_the_wall() -> None:
    policy = planned().component("tenant-a").values["networkPolicy"]
    reached = {(each["namespace"], each["port"]) for each in policy["servers"]}
    assert reached == {
        ("mlops-stores", 7070),
        ("mlops-stores", 5432),
        ("mlops-stores", 6379),
        ("mlflow", 5000),
        ("lifecycle", 8080),
        ("lifecycle", 9000),
    }
    assert {each["namespace"] for each in policy["clients"]} == {"lifecycle", "kserve"}
    for name in ("mlflow", "versitygw", "valkey", "postgresql"):
        clients = planned().component(name).values["networkPolicy"]["clients"]
        assert {"namespace": "tenant-a"} in clients


def test_what_stands_in_a_tenants_namespace_comes_after_it() -> None:
    plan = planned(
        components={"notebooks": MANAGED, "mlflow": {"state": "managed"}},
    )
    order = [each.name for each in plan.components]
    assert order.index("tenant-a") < order.index("notebooks")
    quota = plan.component("tenant-a").values["quota"]
    assert quota["services.loadbalancers"] == "0"


def test_an_external_object_store_brings_an_account_for_each_tenant() -> None:
    keys = {"accessKey": {"env": "A"}, "secretKey": {"env": "S"}}
    external = {"state": "external", "endpoint": "https://s3.example.com", "secret": "site"}
    values = {
        "stores": {"object": external},
        "secrets": {"site": keys, "team": keys},
        "tenants": {"a": {"secret": "team", "bucket": "team-bucket"}, "b": {}},
    }
    plan = plans.of_values(**values)
    own = secret(plan, "tenant-a", "object-store")
    assert own.keys["accessKey"] == FromConfig("team", "accessKey")
    assert plan.component("tenant-a").values["platform"]["MLOPS_INFRA_BUCKET"] == "team-bucket"
    assert "tenants.b.secret" in {each.path for each in plan.findings}


def test_keys_that_would_do_nothing_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        plans.of_values(tenants={"a": {"bucket": "own-bucket", "secret": "x"}})
    assert [each.path for each in caught.value.problems] == ["tenants.a.bucket", "tenants.a.secret"]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**6), st.sampled_from(["", "m", "Mi", "Gi", "Ti"]))
def test_limits_are_twice_the_requests(number: int, unit: str) -> None:
    assert doubled(f"{number}{unit}") == f"{2 * number}{unit}"
