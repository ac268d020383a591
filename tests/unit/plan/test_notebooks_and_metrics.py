"""Notebooks, workflows and metrics: who gets what, and what they may reach."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.plan import Certificate
from mlops_infra.plan.tenancy.notebooks import Person
from mlops_infra.plan.values.prometheus import retained
from tests.unit.plan.plans import of_values

_MEMBERS = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9._@-]{0,120}[A-Za-z0-9])?\Z")
TENANTS = {
    "demo": {"members": ["kim", "Lee@example.com"]},
    "quiet": {"members": ["park"], "notebooks": False},
}


def _plan(**components: Any) -> Any:
    network = {"registry": "registry.example"}
    return of_values(
        tenants=TENANTS,
        network=network,
        components={n.replace("_", "-"): c for n, c in components.items()},
    )


@given(_MEMBERS, _MEMBERS)
def test_two_people_never_share_a_notebook(one: str, other: str) -> None:
    names = {Person("demo", each).name for each in (one, other)}
    assert len(names) == len({one, other})
    for name in names:
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
        # the Pod's label with the hash of its revision is the longest thing made of it
        assert len(f"notebook-{name}-0123456789") <= 63


@pytest.mark.parametrize("engine", ["jupyterlab", "kubeflow"])
def test_members_get_notebooks_with_tokens_in_their_tenants_namespace(engine: str) -> None:
    made = of_values(
        tenants={**TENANTS, "vision": {"members": ["kim"]}},
        network={"registry": "registry.example"},
        components={"notebooks": {"state": "managed", "settings": {"engine": engine}}},
    )
    chart = made.component("notebooks" if engine == "jupyterlab" else "kubeflow-notebooks")
    people = {(each["tenant"], each["name"]): each for each in chart.values["users"]}
    assert len(people) == 3
    assert {("demo", "kim"), ("vision", "kim")} < people.keys()
    tokens = set()
    for (tenant, _), person in people.items():
        assert person["namespace"] == f"tenant-{tenant}"
        (held,) = (
            each
            for each in made.component(f"tenant-{tenant}").secrets
            if each.name == person["secret"]
        )
        assert held.namespace == person["namespace"]
        tokens.add(str(held.keys["token"]))
        # the accounts that the Pods run as come first
        assert f"tenant-{tenant}" in chart.needs
    assert len(tokens) == 3


def test_without_the_component_nobody_gets_a_token() -> None:
    secrets = _plan().component("tenant-demo").secrets
    assert not [each.name for each in secrets if each.name.startswith("notebook-")]


def test_prometheus_looks_into_the_platform_and_its_tenants_only() -> None:
    made = _plan(prometheus={"state": "managed"}, argo_workflows={"state": "managed"})
    values = made.component("prometheus").values
    assert set(values["namespaces"]) == set(made.namespaces)
    assert values["expected"] == ["argo-workflows", "mlflow"]
    assert values["signIns"] == []


def test_prometheus_knows_every_certificate_of_a_server() -> None:
    made = _plan(prometheus={"state": "managed"}, kserve={"state": "managed"})
    held = {
        (secret.namespace, secret.name)
        for component in made.components
        for secret in component.secrets
        if any(isinstance(value, Certificate) for value in secret.keys.values())
    }
    told = made.component("prometheus").values["certificates"]
    assert {(each["namespace"], each["secret"]) for each in told} == held
    assert held


def test_a_server_that_asks_for_a_password_gets_one_from_prometheus() -> None:
    mlflow = {"settings": {"auth": True}}
    made = _plan(prometheus={"state": "managed"}, mlflow=mlflow)
    prometheus = made.component("prometheus")
    (sign_in,) = prometheus.values["signIns"]
    assert sign_in["secret"] in {each.name for each in prometheus.secrets}


@pytest.mark.parametrize(
    ("size", "kept"), [("5Gi", "4294MB"), ("100Mi", "83MB"), ("1Ti", "879609MB")]
)
def test_metrics_leave_a_fifth_of_their_volume_free(size: str, kept: str) -> None:
    assert retained(size) == kept
