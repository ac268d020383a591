"""A model moves to another engine: proven before the switch, with the old server beside it."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.core.route import of_json
from mlops_infra.lifecycle.gateway.traffic import Reply, TrafficSummary
from mlops_infra.lifecycle.promotion.move import Move
from mlops_infra.lifecycle.promotion.policy import Decision, Policy
from mlops_infra.lifecycle.promotion.rollout import Rollout
from tests.unit.lifecycle.serving.fakes import OUTPUTS, PowerCut, World

POLICY = Policy(shadow_seconds=5, canary=(50,), canary_seconds=5)
NO_ANSWER = Reply("HTTP 503, cannot be reached")


def promote(world: World, version: str, engine: str = "seldon-core") -> Decision:
    return Rollout(world.parts(engine), POLICY, "demo", "wine").promote(version)


def roll_back(world: World, engine: str = "seldon-core") -> Decision:
    return Rollout(world.parts(engine), POLICY, "demo", "wine").roll_back()


def move(world: World, engine: str = "kserve") -> Decision:
    return Move(world.parts(engine), POLICY, "demo", "wine").run()


def made() -> World:
    """Version 2 serves by Seldon Core, version 1 stands by there."""
    world = World()
    world.models.add("1", 0.90)
    world.models.add("2", 0.95)
    promote(world, "1")
    assert promote(world, "2").outcome == "promoted"
    assert not world.serving.running, "nothing of it is on KServe"
    return world


@pytest.fixture
def world() -> World:
    return made()


def watched(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every change of a route, every question and every server that goes, in order."""
    seen: list[str] = []
    put = world.store.put

    def told(values: Any, *, count: str | None = None) -> None:
        for key, text in values.items():
            if key.startswith("mlops-infra:route:"):
                route = of_json(key, text)
                parts = (route.champion, route.challenger, route.fallback)
                seen.append(" ".join(each.label if each else "-" for each in parts))
        put(values, count=count)

    def asked(version: str, _request: Any) -> Reply:
        seen.append(f"asked {version}")
        return Reply(outputs=OUTPUTS)

    def deleted(tenant: str, name: str) -> bool:
        seen.append(f"deleted {name}")
        return type(world.seldon).delete(world.seldon, tenant, name)

    monkeypatch.setattr(world.store, "put", told)
    monkeypatch.setattr(world.seldon, "delete", deleted)
    world.observer.reply = asked
    return seen


def test_the_new_server_answers_first_and_the_old_one_goes_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watched(world, monkeypatch)
    assert move(world).outcome == "moved"
    assert seen == [
        "2@seldon-core 2@kserve 1@seldon-core",
        "asked 2@kserve",
        "2@kserve - 2@seldon-core",
        "2@kserve 1@kserve 2@seldon-core",
        "asked 1",
        "2@kserve - 1@kserve",
        "deleted wine-v1",
        "deleted wine-v2",
    ]
    assert sorted(world.serving.running) == ["wine-v1", "wine-v2"]
    assert not world.seldon.running
    assert world.steps()[-1] == "2:moved"
    assert move(world).outcome == "unchanged"
    assert move(world, "seldon-core").outcome == "moved", "and back"
    assert not world.serving.running
    assert world.route().champion.url == "http://wine-v2.seldon"
    assert roll_back(world).champion == "1"
    assert list(world.seldon.running) == ["wine-v1"]


def test_what_does_not_answer_on_the_other_engine_stays_where_it_is(world: World) -> None:
    before = world.route().to_json()
    world.observer.reply = lambda _version, _request: NO_ANSWER
    decision = move(world)
    assert (decision.outcome, decision.promoted) == ("rolled-back", False)
    assert "cannot be reached" in decision.reason
    assert world.route().to_json() == before
    assert not world.serving.running
    assert sorted(world.seldon.running) == ["wine-v1", "wine-v2"]


def test_promotion_by_seldon_asks_before_anybody_else_does() -> None:
    world = World()
    world.models.add("1", 0.90)
    world.observer.reply = lambda _version, _request: NO_ANSWER
    decision = promote(world, "1")
    assert (decision.outcome, decision.champion) == ("rolled-back", None)
    assert world.route() is None
    assert not world.seldon.running


def test_a_server_that_fails_under_the_traffic_gives_it_back(world: World) -> None:
    before = world.route().to_json()

    def tell(_version: str) -> TrafficSummary:
        failing = world.route().champion.engine == "kserve"
        return TrafficSummary(requests=40, errors=9 if failing else 0)

    world.observer.tell = tell
    decision = move(world)
    assert decision.outcome == "rolled-back"
    assert "9 of 40 requests failed" in decision.reason
    assert world.route().to_json() == before
    assert not world.serving.running


def test_a_former_champion_that_does_not_move_is_told(world: World) -> None:
    world.serving.broken.add("1")
    decision = move(world)
    assert decision.outcome == "moved"
    assert "former champion 1 does not stand by any more" in decision.reason
    assert world.route().fallback is None
    assert list(world.serving.running) == ["wine-v2"]
    assert not world.seldon.running


def test_a_move_that_was_killed_at_any_act_is_finished_by_the_next() -> None:
    whole = made()
    before = whole.fuse.acts
    move(whole)
    for cut in range(before, whole.fuse.acts):
        world = made()
        world.fuse.at = cut
        with pytest.raises(PowerCut):
            move(world)
        assert world.route().champion.version == "2", "somebody always serves"
        world.fuse.at = None
        world.store.leases.clear()  # the lease runs out
        assert move(world).promoted, f"cut at {cut}"
        assert world.route().to_json() == whole.route().to_json(), f"cut at {cut}"
        assert sorted(world.serving.running) == sorted(whole.serving.running)
        assert not world.seldon.running, f"cut at {cut}"


def test_a_killed_move_can_be_taken_back(world: World) -> None:
    def killed(_version: str, _request: Any) -> Reply:
        raise PowerCut

    before = world.route().to_json()
    world.observer.reply = killed
    with pytest.raises(PowerCut):
        move(world)
    world.store.leases.clear()
    assert roll_back(world).champion == "2"
    assert world.route().to_json() == before
    assert not world.serving.running


def test_what_does_not_serve_or_is_being_rolled_out_does_not_move(world: World) -> None:
    with pytest.raises(InputError, match="does not serve"):
        move(World())
    world.models.add("3", 0.99)
    world.observer.dead = True
    with pytest.raises(OperationFailed):
        promote(world, "3")
    with pytest.raises(OperationFailed, match="version 3 is at stage shadow"):
        move(world)


def test_two_engines_side_by_side_in_one_rollout(world: World) -> None:
    world.models.add("3", 0.99)
    assert promote(world, "3", "kserve").promoted
    route = world.route()
    assert (route.champion.label, route.fallback.label) == ("3@kserve", "2@seldon-core")
    assert (list(world.serving.running), list(world.seldon.running)) == (["wine-v3"], ["wine-v2"])
    assert roll_back(world, "kserve").champion == "2"
    assert world.route().champion.label == "2@seldon-core", "where it stood by"
    assert not world.serving.running


def test_a_rollout_goes_on_where_it_began_whatever_is_configured_since(world: World) -> None:
    world.models.add("3", 0.99)
    world.observer.dead = True
    with pytest.raises(OperationFailed):
        promote(world, "3", "seldon-core")
    world.observer.dead = False
    assert promote(world, "3", "kserve").promoted
    assert world.route().champion.label == "3@seldon-core"
    assert not world.serving.running


def test_the_champion_by_another_engine_is_no_candidate(world: World) -> None:
    decision = promote(world, "2", "kserve")
    assert decision.outcome == "unchanged"
    assert "mlops-infra move" in decision.reason


def test_a_route_of_an_older_release_moves_too(world: World) -> None:
    text = world.route().to_json().replace('"engine": "seldon-core"', '"engine": ""')
    world.store.put({world.route().key: text})
    assert world.route().champion.engine == ""
    assert move(world).outcome == "moved"
    assert not world.seldon.running
