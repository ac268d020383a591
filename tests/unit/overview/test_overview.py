"""The overview tells wanted from found, and its page can be sent to anybody."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mlops_infra.config import StackConfig, parse
from mlops_infra.contract import COMPONENT_LABEL
from mlops_infra.engine.health import Health, PodHealth
from mlops_infra.engine.live_objects import Difference, LiveState
from mlops_infra.engine.object_key import ObjectKey
from mlops_infra.lifecycle.registry.recent_runs import RecentRun
from mlops_infra.overview import Overview, collect, render
from mlops_infra.plan import Plan, make_plan

STACK = "one"


@pytest.fixture(scope="module")
def config() -> StackConfig:
    return parse({"profile": "onprem", "environment": "prod"})


@pytest.fixture(scope="module")
def plan(config: StackConfig) -> Plan:
    return make_plan(config, stack=STACK, built={})


@pytest.fixture
def health(plan: Plan) -> Health:
    pods = tuple(
        PodHealth(each.name, each.namespace, f"{each.name}-0", "Running", True, 0, "node", "")
        for each in plan.components
    )
    versions = {each.name: each.version for each in plan.components}
    return Health(STACK, "reachable", versions, pods, ())


def _taken(config: StackConfig, plan: Plan, health: Health, **more: object) -> Overview:
    outputs = {"components": health.components, "tracking_uri": "http://mlflow.example:5000"}
    return collect(config, plan, outputs, health, **more)  # type: ignore[arg-type]


def _state(overview: Overview, name: str) -> str:
    return next(each.state for each in overview.components if each.name == name)


def test_a_platform_as_wanted_has_no_problem(
    config: StackConfig, plan: Plan, health: Health
) -> None:
    overview = _taken(config, plan, health)
    assert overview.problems() == []
    assert "Everything is in its desired state" in render(overview)


def test_what_differs_is_named_with_the_reason(
    config: StackConfig, plan: Plan, health: Health
) -> None:
    broken = tuple(
        replace(pod, ready=False, reason="CrashLoopBackOff: no disk")
        if pod.component == "mlflow"
        else pod
        for pod in health.pods
    )
    versions = dict(health.components) | {"valkey": "7.2", "gone": "1.0"}
    del versions["postgresql"]
    overview = _taken(config, plan, replace(health, pods=broken, components=versions))
    assert _state(overview, "mlflow") == "not ready"
    assert _state(overview, "valkey") == "drifted"
    assert _state(overview, "postgresql") == "missing"
    assert _state(overview, "gone") == "unwanted"
    told = "\n".join(overview.problems())
    assert "mlflow: not ready (mlflow-0: CrashLoopBackOff: no disk)" in told
    assert all(line.split(":")[0] in render(overview) for line in overview.problems())


def test_objects_that_up_would_change_are_drift(
    config: StackConfig, plan: Plan, health: Health
) -> None:
    changes = [{"op": "update", "component": "mlflow"}] * 2
    overview = _taken(config, plan, health, changes=changes)
    assert _state(overview, "mlflow") == "drifted"
    assert "mlops-infra up would change 2 objects" in overview.problems()[0]


def test_objects_changed_by_hand_are_named(config: StackConfig, plan: Plan, health: Health) -> None:
    labels = {COMPONENT_LABEL: "mlflow"}
    resource = {"urn": "urn:x", "inputs": {"metadata": {"name": "mlflow", "labels": labels}}}
    key = ObjectKey("v1", "Service", "mlops", "mlflow")
    live = LiveState(known=9, differences=(Difference(resource, key, "missing"),))
    overview = _taken(config, plan, health, live=live)
    assert _state(overview, "mlflow") == "drifted"
    assert "Service mlops/mlflow is missing" in overview.problems()


def test_the_page_escapes_what_people_named_and_fetches_nothing(
    config: StackConfig, plan: Plan, health: Health
) -> None:
    run = RecentRun(
        name="<script>alert(1)</script>",
        id="r1",
        experiment="와인",
        status="FINISHED",
        started="2026-01-01T00:00:00+00:00",
        metrics="accuracy 0.9",
        url="http://mlflow.example:5000/#/experiments/1/runs/r1",
    )
    page = render(_taken(config, plan, health, runs=[run]))
    assert "<script" not in page
    assert "와인" in page
    assert not re.search(r"( src=|@import|url\()", page)
    assert set(re.findall(r'href="([^"]+)"', page)) == {run.url, "http://mlflow.example:5000"}
