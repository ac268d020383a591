"""No version gets traffic before it has answered; silence is not success; a failing one goes."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.lifecycle.gateway.core.fields import fields_of
from mlops_infra.lifecycle.gateway.core.route import Route, of_json
from mlops_infra.lifecycle.gateway.traffic import Reply, TrafficSummary
from mlops_infra.lifecycle.promotion.policy import Decision, Policy
from mlops_infra.lifecycle.promotion.rollout import Rollout
from mlops_infra.lifecycle.promotion.trial import of_example
from tests.unit.lifecycle.serving.fakes import OUTPUTS, PowerCut, World

POLICY = Policy(shadow_seconds=5, canary=(50,), canary_seconds=5)
NO_ANSWER = Reply("HTTP 502, this model never answers")
HOUR = {"name": "hour", "datatype": "INT64", "shape": [1, 1], "data": [11]}


def promote(world: World, version: str | None = None) -> Decision:
    return Rollout(world.parts(), POLICY, "demo", "wine").promote(version)


@pytest.fixture
def world() -> World:
    made = World()
    made.models.add("1", 0.90)
    return made


@pytest.fixture
def served(world: World) -> World:
    promote(world)
    world.models.add("2", 0.95)
    return world


def routes_of(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Route]:
    """Every route that is written from now on."""
    seen: list[Route] = []
    put = world.store.put

    def watched(values: Any, *, count: str | None = None) -> None:
        seen.extend(of_json(k, v) for k, v in values.items() if k.startswith("mlops-infra:route:"))
        put(values, count=count)

    monkeypatch.setattr(world.store, "put", watched)
    return seen


def test_a_first_version_that_never_answers_serves_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = routes_of(world, monkeypatch)
    world.observer.reply = lambda _version, _request: NO_ANSWER
    decision = promote(world)
    assert (decision.outcome, decision.champion) == ("rolled-back", None)
    assert "never answers" in decision.reason
    assert [route.trial for route in seen] == [True], "only whoever names its version reached it"
    assert world.route() is None
    assert not world.serving.running
    assert "champion" not in world.models.aliases


def test_a_later_version_that_never_answers_gets_no_share(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = routes_of(served, monkeypatch)
    served.observer.tell = lambda _version: TrafficSummary()
    served.observer.reply = lambda _version, _request: NO_ANSWER
    assert promote(served).outcome == "rolled-back"
    assert {(route.share, route.shadow) for route in seen} == {(0.0, False)}
    assert served.route().champion.version == "1"
    assert list(served.serving.running) == ["wine-v1"]


def test_a_stage_without_requests_asks_again(served: World) -> None:
    served.observer.tell = lambda _version: TrafficSummary()
    answers = iter([Reply(outputs=OUTPUTS), NO_ANSWER])
    served.observer.reply = lambda _version, _request: next(answers)
    decision = promote(served)
    assert decision.outcome == "rolled-back"
    assert served.steps()[-2] == "2:shadow", "it answered once, and no more in the first stage"


def test_a_new_champion_that_fails_goes_back_by_itself(served: World) -> None:
    def tell(_version: str) -> TrafficSummary:
        failing = served.route().champion.version == "2"
        return TrafficSummary(requests=9, errors=9 if failing else 0)

    served.observer.tell = tell
    decision = promote(served)
    assert (decision.outcome, decision.champion) == ("rolled-back", "1")
    assert "9 of 9 requests failed" in decision.reason
    assert served.models.aliases == {"champion": "1"}
    assert list(served.serving.running) == ["wine-v1"]


def test_the_former_champion_stands_by(served: World) -> None:
    assert promote(served).promoted
    route = served.route()
    assert (route.champion.version, route.fallback.version) == ("2", "1")
    assert route.champion.sample == {"inputs": [HOUR]}
    assert route.champion.outputs == OUTPUTS
    Rollout(served.parts(), POLICY, "demo", "wine").roll_back()
    assert served.route().fallback is None, "its server is gone"


def test_a_refused_later_version_takes_nobody_his_fallback(served: World) -> None:
    promote(served)
    served.models.add("3", 0.99)
    served.observer.reply = lambda _version, _request: NO_ANSWER
    assert promote(served).outcome == "rolled-back"
    assert served.route().fallback.version == "1"


def test_what_a_killed_first_trial_left_is_rolled_back(world: World) -> None:
    def killed(_version: str, _request: Any) -> Reply:
        raise PowerCut

    world.observer.reply = killed
    with pytest.raises(PowerCut):
        promote(world)
    assert world.route().trial
    world.store.leases.clear()
    Rollout(world.parts(), POLICY, "demo", "wine").roll_back()
    assert world.route() is None


def test_its_own_example_is_asked_first_and_what_breaks_the_ranges_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    example: Any = {"dataframe_split": {"columns": ["hour"], "data": [[7], [9]]}}
    monkeypatch.setattr(world.models, "example", lambda _registered: example)
    promote(world)
    assert world.observer.asked_of == [("1", {"inputs": [HOUR | {"data": [7]}]})]
    example["dataframe_split"]["data"] = [[77]]
    world.models.add("2", 0.95)
    promote(world)
    assert world.observer.asked_of[1] == ("2", {"inputs": [HOUR | {"data": [7]}]}), "the champion's"


@pytest.mark.parametrize(
    ("example", "shape", "data"),
    [
        ({"inputs": [[1.0, 2.0], [3.0, 4.0]]}, [1, 2], [[1.0, 2.0]]),
        ({"inputs": {"x": [[1.0, 2.0]]}}, [1, 2], [[1.0, 2.0]]),
        ({"instances": [[1.0, 2.0]]}, [1, 2], [[1.0, 2.0]]),
    ],
)
def test_examples_of_tensors(example: Any, shape: list[int], data: list[Any]) -> None:
    spec = {"dtype": "float64", "shape": [-1, 2]}
    fields = fields_of([{"name": "x", "type": "tensor", "tensor-spec": spec}], {})
    assert of_example(example, fields) == {
        "inputs": [{"name": "x", "datatype": "FP64", "shape": shape, "data": data}]
    }


@pytest.mark.parametrize("example", [None, [], "text", {}, {"inputs": 5}, {"dataframe_split": []}])
def test_an_example_of_another_form_is_none(example: Any) -> None:
    assert of_example(example, fields_of([{"name": "hour", "type": "long"}], {})) is None
