"""Which Pods are real on the embedded cluster is decided by component, by what can be had."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.catalog import load_catalog
from mlops_infra.config import parse
from mlops_infra.plan import Plan, PlanError, make_plan
from mlops_infra.plan.images.reality import pods_of
from tests.unit.plan import plans

MANAGED = {"state": "managed"}
KUBEFLOW = "kubeflow-pipelines"
UPSTREAM = {
    f"{KUBEFLOW}/{image.role}": image.upstream
    for image in load_catalog()[KUBEFLOW].images
    if image.upstream
}
ALL_THERE = dict.fromkeys(filter(None, UPSTREAM.values()), (True, "registry.example has it"))
NEEDED = {"kubeflow-pipelines": MANAGED, "argo-workflows": MANAGED}


def embedded(answers: dict[str, tuple[bool, str]] | None = None, **values: Any) -> Plan:
    body = {"profile": "onprem", "environment": "test", "cluster": {"embedded": True}, **values}
    return make_plan(parse(body), stack="test", built=plans.BUILT, answers=answers or {})


def told(plan: Plan, all_simulated: str | None = None) -> dict[str, str]:
    return {each.component: str(each) for each in pods_of(plan, all_simulated)}


def test_what_nobody_was_asked_for_is_simulated_and_says_so() -> None:
    found = told(embedded(components=NEEDED))
    assert found["mlflow"] == "real: built here"
    assert found[KUBEFLOW].startswith("simulated: ")
    assert "no registry has been asked for it, and" in found[KUBEFLOW]


def test_what_a_registry_has_is_real() -> None:
    plan = embedded(ALL_THERE, components=NEEDED)
    assert told(plan)[KUBEFLOW] == "real: registry.example has it"
    assert "nodeSelector" not in plan.component(KUBEFLOW).values
    assert not [each for each in plan.findings if "simulated" in each.message]


def test_one_image_too_few_is_enough_to_simulate() -> None:
    first = next(iter(ALL_THERE))
    plan = embedded({**ALL_THERE, first: (False, "it is gone")}, components=NEEDED)
    assert told(plan)[KUBEFLOW] == f"simulated: {first}: it is gone"


def test_an_image_that_is_pulled_later_decides_nothing() -> None:
    later = {
        image.upstream: (False, "it is gone")
        for image in load_catalog()[KUBEFLOW].images
        if image.phase == "run" and image.upstream
    }
    assert later
    plan = embedded({**ALL_THERE, **later}, components=NEEDED)
    assert told(plan)[KUBEFLOW] == "real: registry.example has it"


def test_built_and_named_images_mix_in_one_stack() -> None:
    mirror = {role: f"registry.example/{name}" for role, name in UPSTREAM.items()}
    plan = embedded(components=NEEDED, network={"overrides": mirror})
    found = told(plan)
    assert found[KUBEFLOW] == "real: named in network.overrides"
    assert found["mlflow"] == "real: built here"


def test_a_component_may_run_upstreams_image_among_built_ones() -> None:
    network = {"images": {"components": {"mlflow": "upstream"}}}
    upstream = load_catalog()["mlflow"].images[0].upstream
    assert upstream is not None
    plan = embedded({upstream: (True, "ghcr.io has it")}, network=network)
    assert plan.component("mlflow").images[0].reference == upstream
    assert plan.component("postgresql").images[0].recipe == "postgresql"
    assert told(plan)["mlflow"] == "real: ghcr.io has it"
    assert told(embedded(network=network))["mlflow"].startswith("simulated: ")


def test_each_image_runs_as_its_own_user() -> None:
    image = load_catalog()["mlflow"].images[0]
    assert image.built_user != image.upstream_user

    def user(network: dict[str, Any]) -> Any:
        return embedded(network=network).component("mlflow").values.get("runAs", {}).get("user")

    ours, theirs = (each and each.user for each in (image.built_user, image.upstream_user))
    assert user({}) == ours
    assert user({"images": {"components": {"mlflow": "upstream"}}}) == theirs
    assert user({"overrides": {"mlflow/server": image.upstream}}) == theirs
    assert user({"overrides": {"mlflow/server": "registry.example/copy:1"}}) == ours


def test_an_exception_for_what_the_stack_lacks_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        embedded(network={"images": {"components": {"katip": "upstream"}}})
    (problem,) = caught.value.problems
    assert problem.path == "network.images.components.katip"
    assert "mlflow" in (problem.suggestion or "")


def test_the_catalogs_own_image_named_by_hand_is_no_finding() -> None:
    role, reference = next(iter(UPSTREAM.items()))
    own = plans.of_values(components=NEEDED, network={"overrides": {role: reference}})
    assert not [each for each in own.findings if each.path.startswith("network.overrides")]
    other = plans.of_values(
        components=NEEDED, network={"overrides": {role: "registry.example/x:1"}}
    )
    assert [each.gate for each in other.findings if each.path.startswith("network.overrides")]


def test_a_cluster_without_real_nodes_has_no_real_pods() -> None:
    found = told(embedded(ALL_THERE, components=NEEDED), "real Pods need root")
    assert set(found.values()) == {"simulated: real Pods need root", "none"}


def test_any_other_cluster_pulls_by_itself() -> None:
    found = told(plans.of_values(components=NEEDED))
    assert found[KUBEFLOW] == "real: the cluster pulls its images"
