"""The trigger controller goes on, whatever one tick, one alert or one thread does."""

from __future__ import annotations

import asyncio
import ctypes
import datetime
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.triggers.app import TriggerApp

MINE = {"Authorization": "Bearer secret"}


class FakeModel:
    def __init__(self, name: str) -> None:
        self.tenant, self.name, self.id, self.drift = "demo", name, f"demo/{name}", True


class FakeController:
    """Counts ticks and signals; the model `away` cannot be asked."""

    def __init__(self) -> None:
        self.errors: dict[str, int] = {}
        self.last_tick: datetime.datetime | None = None
        self.asked: list[str] = []
        self.ticks = 0
        self.raises: Exception | None = None
        self.sensors = self

    def clock(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)

    def tick(self) -> None:
        if self.raises is not None:
            raise self.raises
        self.ticks += 1
        self.last_tick = self.clock()

    def model(self, _tenant: str, name: str) -> FakeModel:
        if name in ("unknown", ""):
            raise InputError("the model is not declared")
        return FakeModel(name)

    def ask(self, model: FakeModel, _signal: object) -> None:
        if model.name == "odd":
            raise KeyError("labels")
        if model.name == "away":
            raise OperationFailed("PostgreSQL does not answer")
        self.asked.append(model.name)

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


async def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


@pytest.fixture
def controller() -> FakeController:
    return FakeController()


def talk(
    controller: FakeController, act: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]
) -> None:
    """Run the application for the time that `act` takes."""

    async def run() -> None:
        app = TriggerApp(controller, "secret", 0.02).app()  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://triggers") as client,
        ):
            await act(client)

    asyncio.run(run())


def alert(model: object) -> dict[str, Any]:
    return {"status": "firing", "labels": {"tenant": "demo", "model": model}, "startsAt": "x"}


def test_a_tick_that_raises_is_counted_and_the_next_one_comes(controller: FakeController) -> None:
    async def act(client: httpx.AsyncClient) -> None:
        controller.raises = KeyError("nobody expected this")
        await until(lambda: controller.errors.get("tick"))
        controller.raises = None
        before = controller.ticks
        await until(lambda: controller.ticks > before)
        assert (await client.get("/healthz")).status_code == 200

    talk(controller, act)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_loop_that_is_killed_runs_again(controller: FakeController) -> None:
    async def act(client: httpx.AsyncClient) -> None:
        await until(lambda: controller.ticks)
        (loop,) = [each for each in threading.enumerate() if each.name == "triggers"]
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(loop.ident or 0), ctypes.py_object(SystemExit)
        )
        await until(lambda: not loop.is_alive())
        assert (await client.get("/healthz")).status_code == 200
        before = controller.ticks
        await until(lambda: controller.ticks > before)

    talk(controller, act)
    assert controller.errors == {"worker/triggers": 1, "worker/watch": 0}


def test_one_alert_stops_no_other_one(controller: FakeController) -> None:
    async def act(client: httpx.AsyncClient) -> None:
        alerts = [5, alert("unknown"), {"status": "firing", "labels": 7}, alert("wine")]
        answer = await client.post("/alerts", json={"alerts": alerts}, headers=MINE)
        assert (answer.status_code, answer.json()["taken"][-1]) == (200, "demo/wine")
        controller.asked.clear()
        two = {"alerts": [alert("away"), alert("odd"), alert("bikes")]}
        answer = await client.post("/alerts", json=two, headers=MINE)
        assert answer.status_code == 503, "Alertmanager sends them again"
        assert controller.asked == ["bikes"]

    talk(controller, act)


def test_what_nobody_expected_is_an_answer_in_json(
    controller: FakeController, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(client: httpx.AsyncClient) -> None:
        monkeypatch.setattr(controller, "model", lambda *_: 1 // 0)
        asked = {"tenant": "demo", "model": "wine"}
        answer = await client.post("/retrain", json=asked, headers=MINE)
        told = {"error": "it failed here: ZeroDivisionError"}
        assert (answer.status_code, answer.json()) == (500, told)

    talk(controller, act)
    assert controller.errors["request"] == 1
