from __future__ import annotations

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.traffic import TrafficSummary
from mlops_infra.lifecycle.lineage.endpoint_history import EndpointHistory
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.promotion.policy import Decision, Policy
from mlops_infra.lifecycle.promotion.rollout import SETTLE_SECONDS, Rollout
from tests.unit.lifecycle.serving.fakes import PowerCut, World

POLICY = Policy(shadow_seconds=5, canary=(10, 50), canary_seconds=5)


def promote(world: World, version: str | None = None, policy: Policy = POLICY) -> Decision:
    return Rollout(world.parts(), policy, "demo", "wine").promote(version)


@pytest.fixture
def world() -> World:
    made = World()
    made.models.add("1", 0.90)
    assert promote(made).outcome == "first"
    return made


@pytest.mark.parametrize("outcome", ["first", "promoted", "rolled-back", "restored"])
def test_every_gateway_follows_before_the_decision_is_told(outcome: str) -> None:
    world = World()
    world.models.add("1", 0.90)
    promote(world)
    if outcome != "first":
        world.models.add("2", 0.95)
        failing = TrafficSummary(requests=40, errors=40 if outcome == "rolled-back" else 0)
        world.observer.tell = lambda _version: failing
        promote(world)
    if outcome == "restored":
        Rollout(world.parts(), POLICY, "demo", "wine").roll_back()
    assert world.now >= world.store.counted_at + SETTLE_SECONDS


def test_the_first_model_serves_at_once(world: World) -> None:
    assert world.route().champion.version == "1"
    assert world.models.aliases == {"champion": "1"}
    assert list(world.serving.running) == ["wine-v1"]
    (trace,) = Lineage(world.store).find("demo/wine")
    assert (trace.model, trace.tracking_run, trace.pipeline_run) == ("wine/1", "run1", "pipeline1")


def test_a_better_one_passes_shadow_and_shares(world: World) -> None:
    world.models.add("2", 0.95)
    decision = promote(world)
    assert (decision.outcome, decision.champion) == ("promoted", "2")
    assert decision.numbers == {"candidate": 0.95, "champion": 0.90}
    assert world.steps()[-6:] == [
        "2:judged", "2:deployed", "2:shadow", "2:canary-10", "2:canary-50", "2:champion",
    ]  # fmt: skip
    assert world.models.aliases == {"champion": "2"}
    assert sorted(world.serving.running) == ["wine-v1", "wine-v2"], "the way back stays open"
    assert [t.model for t in Lineage(world.store).find("demo/wine")] == ["wine/1", "wine/2"]


def test_a_worse_one_is_refused_with_the_numbers(world: World) -> None:
    world.models.add("2", 0.89)
    decision = promote(world)
    assert decision.outcome == "refused"
    assert "0.89" in decision.reason
    assert "0.9" in decision.reason
    assert list(world.serving.running) == ["wine-v1"], "it never met the cluster"
    assert world.models.tags["2"]["mlops-infra.stage"] == "refused"
    told = EndpointHistory(world.store).of_models(["wine/2"])
    assert [(step.what, step.detail) for step in told] == [("refused", decision.reason)]
    assert world.route().challenger is None


@pytest.mark.parametrize("stage", ["shadow", "canary-10", "canary-50"])
def test_errors_take_it_back_at_every_stage(world: World, stage: str) -> None:
    world.models.add("2", 0.95)
    names = ["shadow", "canary-10", "canary-50"]

    def tell(_version: str) -> TrafficSummary:
        reached = world.steps()[-1].removeprefix("2:")
        bad = reached in names and names.index(reached) >= names.index(stage)
        return TrafficSummary(requests=40, errors=9 if bad else 0)

    world.observer.tell = tell
    decision = promote(world)
    assert (decision.outcome, decision.champion) == ("rolled-back", "1")
    assert "9 of 40 requests failed" in decision.reason
    assert world.steps()[-2] == f"2:{stage}"
    assert world.route().challenger is None
    assert list(world.serving.running) == ["wine-v1"]


def test_a_model_that_cannot_start_leaves_no_trace_on_the_traffic(world: World) -> None:
    world.models.add("2", 0.95)
    world.serving.broken.add("2")
    decision = promote(world)
    assert (decision.outcome, decision.reason) == (
        "rolled-back", "wine-v2 cannot start: no such model",
    )  # fmt: skip
    assert world.route().champion.version == "1"
    assert list(world.serving.running) == ["wine-v1"]


def test_a_run_killed_at_any_act_is_finished_by_the_next() -> None:
    whole = World()
    whole.models.add("1", 0.90)
    promote(whole)
    before = whole.fuse.acts
    whole.models.add("2", 0.95)
    promote(whole)
    for cut in range(before + 1, whole.fuse.acts + 1):
        world = World()
        world.models.add("1", 0.90)
        promote(world)
        world.models.add("2", 0.95)
        world.fuse.at = cut - 1
        with pytest.raises(PowerCut):
            promote(world, "2")
        assert world.route().champion.version in ("1", "2"), "somebody always serves"
        world.fuse.at = None
        world.store.leases.clear()  # the lease runs out
        assert promote(world, "2").promoted
        assert world.route().to_json() == whole.route().to_json(), f"cut at {cut}"
        assert world.models.aliases == whole.models.aliases
        assert sorted(world.serving.running) == sorted(whole.serving.running)
        assert len(world.steps()) == len(set(world.steps())), "no step is told twice"


def test_two_at_once_are_told_apart(world: World) -> None:
    world.store.leases["mlops-infra:lease:rollout:demo/wine"] = "host/1"
    world.models.add("2", 0.95)
    with pytest.raises(OperationFailed, match="host/1"):
        promote(world)


def test_a_dead_gateway_stops_and_the_next_run_goes_on(world: World) -> None:
    world.models.add("2", 0.95)
    world.observer.dead = True
    with pytest.raises(OperationFailed, match="does not answer"):
        promote(world)
    world.models.add("3", 0.99)
    with pytest.raises(OperationFailed, match="version 2 is at stage shadow"):
        promote(world, "3")
    world.observer.dead = False
    assert promote(world, "2").outcome == "promoted"


def test_rollback_of_a_champion_and_of_a_challenger(world: World) -> None:
    world.models.add("2", 0.95)
    promote(world)
    world.models.add("3", 0.1)
    assert promote(world, "3").outcome == "refused", "which takes the way back from nobody"
    rollout = Rollout(world.parts(), POLICY, "demo", "wine")
    assert rollout.roll_back().champion == "1"
    assert world.models.aliases["champion"] == "1"
    assert list(world.serving.running) == ["wine-v1"]
    with pytest.raises(InputError, match="no previous champion"):
        rollout.roll_back()

    world.models.add("4", 0.97)
    world.observer.dead = True
    with pytest.raises(OperationFailed):
        promote(world, "4")
    assert rollout.roll_back().outcome == "rolled-back"
    assert world.route().challenger is None


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (Policy(least_improvement=0.1), "not better by 0.1"),
        (Policy(least=0.99), "does not reach 0.99"),
        (Policy(metric="log_loss", direction="min"), "not better"),
        (Policy(slices="accuracy/", most_gap=0.1), "differ by 0.3"),
    ],
)
def test_guard_rails_refuse(world: World, policy: Policy, why: str) -> None:
    world.models.versions["1"] = world.models.add("1", 0.90, log_loss=0.1)
    world.models.add("2", 0.95, log_loss=0.2, **{"accuracy/a": 0.6, "accuracy/b": 0.9})
    assert why in promote(world, "2", policy).reason


@pytest.mark.parametrize(
    ("policy", "seen", "why"),
    [
        (Policy(most_latency_ms=50), TrafficSummary(requests=30, p99_ms=80.0), "p99 is 80 ms"),
        (
            Policy(most_disagreement=0.1),
            TrafficSummary(requests=30, disagreement=0.2),
            "differs on 20",
        ),
        (
            Policy(least_requests=10, stage_seconds=70),
            TrafficSummary(requests=3),
            "only 3 requests",
        ),
    ],
)
def test_guard_rails_while_it_is_tried(
    world: World, policy: Policy, seen: TrafficSummary, why: str
) -> None:
    world.models.add("2", 0.95)
    world.observer.tell = lambda _version: seen
    assert why in promote(world, "2", policy).reason


def test_an_unknown_metric_names_those_there_are(world: World) -> None:
    world.models.add("2", 0.95)
    with pytest.raises(OperationFailed, match="no metric 'f1'") as caught:
        promote(world, "2", Policy(metric="f1"))
    assert caught.value.hint is not None
    assert "accuracy" in caught.value.hint


@pytest.mark.parametrize("canary", [(0,), (101,), (50, 10), (10, 10)])
def test_shares_that_make_no_sense(canary: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        Policy(canary=canary)
