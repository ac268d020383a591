"""What is refused, and what passes with a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_infra.config import LicenceConfig, load, parse
from mlops_infra.errors import InputError
from mlops_infra.plan import PlanError, make_plan
from mlops_infra.plan.gates import licence
from tests.unit.plan import plans


def refused(**values: Any) -> dict[str, str]:
    with pytest.raises(PlanError) as caught:
        plans.of_values(**values)
    assert caught.value.exit_code == 2
    told: dict[str, str] = {}
    for problem in caught.value.problems:
        told[problem.path] = f"{told.get(problem.path, '')}{problem.message}\n"
    return told


@pytest.mark.parametrize(
    ("spdx", "permissive", "commercial"),
    [
        ("Apache-2.0", True, True),
        ("PostgreSQL", True, True),
        ("MPL-2.0", False, True),
        ("GPL-2.0-only", False, True),
        ("AGPL-3.0-only", False, False),
        ("BUSL-1.1", False, False),
        ("SSPL-1.0", False, False),
        ("LicenseRef-RSALv2 OR SSPL-1.0", False, False),
        ("LicenseRef-Unheard-Of", False, False),
        ("MIT AND AGPL-3.0-only", False, False),
        ("AGPL-3.0-only OR MIT", True, True),
    ],
)
def test_policies(spdx: str, permissive: bool, commercial: bool) -> None:
    assert licence.passes(spdx, LicenceConfig(policy="permissive"), "x") is permissive
    assert licence.passes(spdx, LicenceConfig(policy="commercial"), "x") is commercial
    assert licence.passes(spdx, LicenceConfig(policy="any"), "x")
    assert licence.passes(spdx, LicenceConfig(policy="permissive", accept=("x",)), "x")


def test_one_accepted_licence_completes_an_alternative() -> None:
    accepting = LicenceConfig(policy="commercial", accept=("SSPL-1.0",))
    assert licence.passes("LicenseRef-RSALv2 OR SSPL-1.0", accepting, "redis")
    assert not licence.passes("LicenseRef-RSALv2 AND SSPL-1.0", accepting, "redis")


def test_seldon_passes_up_to_the_last_apache_release() -> None:
    new = {"seldon-core": {"state": "managed", "version": "1.18.0"}}
    assert "BUSL-1.1" in refused(components=new)["components.seldon-core"]
    old = {"seldon-core": {"state": "managed"}}
    assert "BUSL-1.1" not in refused(components=old)["components.seldon-core"]


def test_a_refusal_names_key_line_source_and_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(
        "config:\n  mlops-infra:profile: onprem\n  mlops-infra:environment: x\n"
        "  mlops-infra:components:\n    grafana: {state: managed}\n"
    )
    with pytest.raises(PlanError) as caught:
        make_plan(load(file), stack="x", built=plans.BUILT)
    problem = next(p for p in caught.value.problems if "AGPL" in p.message)
    assert (caught.value.file, problem.path, problem.line) == (str(file), "components.grafana", 5)
    assert "https://github.com/grafana/grafana" in problem.message
    assert "licence.accept" in (problem.suggestion or "")


def test_what_cannot_be_deployed_says_what_takes_its_place() -> None:
    found = refused(stores={"kv": {"engine": "redis"}, "object": {"engine": "minio"}})
    assert "valkey" in found["stores.kv.engine"]
    assert "RSALv2" in found["stores.kv.engine"]
    assert "versitygw" in found["stores.object.engine"]
    assert "AGPL-3.0-only" in found["stores.object.engine"]


def test_external_components_pass_every_gate() -> None:
    plan = plans.of_values(
        components={"grafana": {"state": "external", "endpoint": "https://grafana.example"}}
    )
    assert plan.outputs["dashboards_url"] == "https://grafana.example"


def test_accepting_nothing_is_pointed_out() -> None:
    plan = plans.of_values(licence={"accept": ["grafna"]})
    assert [finding.path for finding in plan.findings if finding.gate == "licence"] == [
        "licence.accept[0]"
    ]


@pytest.mark.parametrize("store", ["sql", "object"])
def test_a_need_without_a_store_is_refused(store: str) -> None:
    found = refused(stores={store: {"state": "removed"}})
    assert "MLflow needs it" in found[f"stores.{store}.state"]


def test_a_cluster_that_is_too_old_is_refused() -> None:
    assert "cluster.kubernetes" in refused(cluster={"kubernetes": "1.25"})


def test_a_version_that_this_release_does_not_have_is_refused() -> None:
    found = refused(components={"mlflow": {"version": "3.18.0"}})
    assert "3.17.2 only" in found["components.mlflow.version"]


def test_simulated_pods_are_announced() -> None:
    plan = plans.of_values(cluster={"embedded": True, "simulated": True})
    assert any(finding.path == "cluster.simulated" for finding in plan.findings)


@pytest.mark.parametrize("stack", ["sandbox", "onprem-dev", "onprem-prod", "onprem-closed"])
def test_every_key_of_the_examples_has_an_effect(stack: str) -> None:
    assert not [each for each in plans.of_stack(stack).findings if each.gate == "release"]


def test_what_no_recipe_makes_is_simulated_and_says_so() -> None:
    wanted = ("argo-workflows", "kubeflow-pipelines", "trainer")
    components = {name: {"state": "managed"} for name in wanted}
    plan = plans.of_values(cluster={"embedded": True}, components=components)
    pipelines = plan.component("kubeflow-pipelines")
    assert pipelines.simulated
    assert pipelines.values["nodeSelector"] == {"mlops-infra.dev/simulated": "true"}
    assert pipelines.values["tolerations"][0]["key"] == "mlops-infra.dev/simulated"
    simulated = [f.path for f in plan.findings if "simulated" in f.message]
    assert simulated == ["components.kubeflow-pipelines"]
    assert not plan.component("mlflow").simulated
    assert not plan.component("trainer").simulated
    upstream = plans.of_values(components=components)
    assert not upstream.component("kubeflow-pipelines").simulated


def test_a_need_between_components_is_served_or_refused() -> None:
    lone = {"grafana": {"state": "managed"}}
    found = refused(components=lone, licence={"policy": "any"})["components.grafana"]
    assert "needs metrics" in found
    elsewhere = {"prometheus": {"state": "external", "endpoint": "https://prometheus.example"}}
    plan = plans.of_values(components={**lone, **elsewhere}, licence={"policy": "any"})
    assert plan.component("grafana").needs == ()


def test_aws_is_deployable_and_says_what_it_was_tried_against() -> None:
    plan = plans.of_stack("aws-dev")
    plan.require_deployable()
    assert [finding.path for finding in plan.findings] == ["profile"]
    assert "not against AWS itself" in plan.findings[0].message


def test_a_recipe_that_is_not_there_is_refused() -> None:
    config = parse({"profile": "onprem", "environment": "x", "cluster": {"embedded": True}})
    with pytest.raises(PlanError) as caught:
        make_plan(config, stack="x", built={})
    assert "recipe 'mlflow'" in str([problem.message for problem in caught.value.problems])


def test_a_stacks_name_is_a_label() -> None:
    config = parse({"profile": "onprem", "environment": "x"})
    with pytest.raises(InputError, match="DNS label"):
        make_plan(config, stack="My Stack", built=plans.BUILT)
