"""A model moves to another engine behind a real gateway, while somebody asks all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mlops_infra.errors import MlopsError
from mlops_infra.lifecycle.promotion.move import Move
from mlops_infra.lifecycle.promotion.policy import Policy
from mlops_infra.lifecycle.promotion.rollout import Rollout
from mlops_infra.lifecycle.promotion.services import RolloutServices
from mlops_infra.lifecycle.serving.interface import Address, Service
from tests.engine import valkey_server
from tests.engine.gateway_site import Routing, Site, ValkeyStore
from tests.unit.lifecycle.serving.fakes import FakeServing, World

MODEL = "wine"
HOUR = {"name": "hour", "shape": [1], "datatype": "INT64", "data": [7]}
BY_SELDON, BY_KSERVE = 7.0, 14.0
"""What the servers answer: they multiply by 1 and by 2."""


class ProcessServing(FakeServing):
    """An engine whose only server is a process that runs already; to delete it is to break it."""

    def __init__(self, site: Site, server: str) -> None:
        super().__init__()
        self._site = site
        self._server = server

    def wait(self, service: Service, seconds: float, alive: Any) -> Address:
        return Address(f"http://127.0.0.1:{self._site.models[self._server]}", "wine")

    def delete(self, tenant: str, name: str) -> bool:
        self._site.control(self._server, fail=True)
        return super().delete(tenant, name)


def parts(site: Site, engine: str, servings: Mapping[str, ProcessServing]) -> RolloutServices:
    world = World()
    world.models.add("1", 0.9)
    return replace(
        world.parts(engine),
        servings=servings,
        routing=site.routing,
        observer=site.client,
        sleep=time.sleep,
        clock=time.time,
    )


def _asked(site: Site) -> float:
    answer = site.client.infer(MODEL, {"inputs": [HOUR]})
    return float(answer["outputs"][0]["data"][0])


def _until_it_serves(site: Site) -> None:
    """The gateway follows a route within a moment of its change."""
    until = time.monotonic() + 10
    while True:
        try:
            _asked(site)
        except MlopsError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def emptied(stores: tuple[str, str, Any]) -> None:
    """No route of a test before, when the gateway starts: its servers are gone."""
    Routing(ValkeyStore(stores[0], valkey_server.PASSWORD)).withdraw("demo", MODEL)


def test_nobody_goes_without_an_answer_while_a_model_moves(emptied: None, site: Site) -> None:
    servings = {"seldon-core": ProcessServing(site, "1"), "kserve": ProcessServing(site, "2")}
    policy = Policy(champion_seconds=2)
    first = Rollout(parts(site, "seldon-core", servings), policy, "demo", MODEL).promote("1")
    assert first.outcome == "first"
    _until_it_serves(site)
    answers: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            answers.append(_asked(site))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        moved = Move(parts(site, "kserve", servings), policy, "demo", MODEL).run()
        time.sleep(1)
    finally:
        over.set()
        thread.join()
        site.routing.withdraw("demo", MODEL)
    assert moved.outcome == "moved"
    assert answers == sorted(answers), "once the new server answers, the old one does no more"
    assert {answers[0], answers[-1]} == {BY_SELDON, BY_KSERVE}
    assert list(servings["kserve"].running) == ["wine-v1"]
    assert not servings["seldon-core"].running
