"""Whatever ends beside the requests is started again and counted; one item costs no other one."""

from __future__ import annotations

import asyncio
import ctypes
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.core.metrics import Metrics
from mlops_infra.lifecycle.gateway.core.prediction import Row
from mlops_infra.lifecycle.gateway.core.request_log import RequestLog
from mlops_infra.lifecycle.gateway.core.route import REVISION, Route
from mlops_infra.lifecycle.services.workers import MOST_RESTARTS, ThreadWorker, Workers
from tests.unit.lifecycle.gateway.in_process import InProcess, in_process, request, run, target

CONNECT = "mlops_infra.lifecycle.gateway.core.request_log.connect"


class FakeDatabase:
    """Refuses what PostgreSQL refuses; `away` as one that cannot be reached."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[Row] = []
        self.away = False
        monkeypatch.setattr(CONNECT, self.connect)

    @contextmanager
    def connect(self, _conninfo: str, *, autocommit: bool) -> Iterator[FakeDatabase]:
        assert autocommit
        if self.away:
            raise OperationFailed("PostgreSQL: connection refused")
        yield self

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    @contextmanager
    def cursor(self) -> Iterator[FakeDatabase]:
        yield self

    def executemany(self, _sql: str, rows: Sequence[Sequence[Any]]) -> None:
        made = [Row(*row) for row in rows]
        for row in made:
            for text in (row.request_id, row.request_key, row.error):
                (text or "").encode()  # psycopg raises UnicodeEncodeError
                if "\0" in (text or ""):
                    raise psycopg.DataError(
                        "PostgreSQL text fields cannot contain NUL (0x00) bytes"
                    )
            for document in (row.request, row.response):
                if "\\u0000" in (document or "") or "\\ud" in (document or ""):
                    raise psycopg.DataError("unsupported Unicode escape sequence")
            if row.request == "[too deep]":
                raise psycopg.errors.ProgramLimitExceeded("too deep")
            if row.role == "unknown":
                raise psycopg.errors.CheckViolation("prediction_role_check")
        self.rows += made


def row(number: str, **more: Any) -> Row:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    made = Row(number, "champion", "demo", "wine", "1", "s", at, 1.0, 200, "{}", *[None] * 5)
    return replace(made, **more)


def until(condition: Callable[[], object], told: str) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, told
        time.sleep(0.01)


def test_a_row_that_the_database_cannot_hold_is_stored_with_the_place_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database, metrics = FakeDatabase(monkeypatch), Metrics()
    log = RequestLog("", rows=20, metrics=metrics)
    document = {"inputs": [{"name": "a", "data": ["x", "a\0b"]}], "parameters": {"p\0": 1}}
    rows = [
        row("1"),
        row("2", request=json.dumps(document)),
        row("3", request_id="\ud83d", error="\0"),
        row("4", response='{"outputs":["\\ud83d"]}'),
        row("5", request="not JSON \\u0000"),
        row("6", role="unknown"),
        row("7"),
    ]
    for each in rows:
        log.put(each)
    log.worker.start()
    assert log.close(5) == 0
    held = {each.prediction_id: each for each in database.rows}
    assert sorted(held) == ["1", "2", "3", "4", "5", "7"]
    marked = json.loads(held["2"].request or "")
    assert marked["inputs"][0]["data"] == ["x", "a\N{REPLACEMENT CHARACTER}b"]
    assert marked["mlops-infra.replaced"][0] == "inputs[0].data[1]"
    assert held["3"].request_id == "\N{REPLACEMENT CHARACTER}"
    assert (held["5"].request, held["5"].status) == (None, 200)
    text = metrics.text().decode()
    assert "mlops_infra_gateway_log_marked_total 4.0" in text
    assert 'mlops_infra_gateway_log_dropped_total{reason="refused"} 1.0' in text


def kill(thread: threading.Thread) -> None:
    """End a thread at its next step, by what nothing of ours catches."""
    assert thread.ident is not None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
    )


def threads() -> list[threading.Thread]:
    """Threads of the gateway: not those of pytest or of asyncio's pool, which are replaced."""
    return [each for each in threading.enumerate() if each.name in ("request-log",)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_every_thread_and_task_that_is_killed_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_infra.lifecycle.services.workers.LOOK_SECONDS", 0.05)
    database = FakeDatabase(monkeypatch)
    site = in_process(tmp_path, monkeypatch, log=True)

    async def works(number: int) -> None:
        """Requests are answered and logged, and a new route is followed."""
        answer = await site.ask(request())
        assert answer.status == 200
        made = answer.headers["x-prediction-id"]
        route = Route("demo", f"new-{number}", target("1"))
        site.store.put({route.key: route.to_json()}, count=REVISION)

        def seen() -> bool:
            logged = any(each.prediction_id == made for each in database.rows)
            return logged and site.gateway.table.get("demo", route.model) is not None

        await asyncio.to_thread(until, seen, f"it stays broken after {number}")
        assert (await site.ask(path="/healthz")).status == 200

    async def storm() -> list[str]:
        before = asyncio.all_tasks()
        async with site.gateway.running():
            await works(0)
            victims = [each.name for each in threads()]
            victims += [each.get_name() for each in asyncio.all_tasks() - before]
            for number, name in enumerate(victims, 1):
                for thread in [each for each in threads() if each.name == name]:
                    kill(thread)
                    await asyncio.to_thread(until, lambda t=thread: not t.is_alive(), name)
                for task in [each for each in asyncio.all_tasks() if each.get_name() == name]:
                    task.cancel()
                await asyncio.sleep(0)
                await works(number)
        return victims

    assert set(run(storm())) == {"request-log", "routes", "watch"}
    assert site.figure("worker_restarts_total") == 3


def test_a_worker_that_does_not_stay_is_a_fault_of_the_process() -> None:
    restarted: list[str] = []
    worker = ThreadWorker("broken", lambda: None)
    workers = Workers(worker, restarted=restarted.append, clock=lambda: 0.0)

    async def look() -> list[str]:
        workers.start()
        for _ in range(MOST_RESTARTS + 1):
            await asyncio.to_thread(worker.join, 5)
            found = workers.look()
        await workers.stop()
        return found

    assert asyncio.run(look()) == ["broken"]
    assert set(restarted) == {"broken"}


def test_a_log_without_its_database_stops_no_answer_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = FakeDatabase(monkeypatch)
    database.away = True
    site = in_process(tmp_path, monkeypatch, log=True)

    async def away() -> None:
        async with site.gateway.running():
            assert (await site.ask(request())).status == 200
            assert (await site.ask(path="/healthz")).status == 200
            database.away = False
            await asyncio.to_thread(until, lambda: database.rows, "what waited was never written")

    run(away())


BARE = {"version": "1", "url": "u", "server": "s", "name": "n", "inputs": [], "ranges": {}}
TENSOR = {"type": "tensor", "name": "x"}


@pytest.mark.parametrize("champion", [5, BARE | {"inputs": [TENSOR]}, BARE | {"inputs": [5]}])
def test_a_broken_route_stops_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, champion: Any
) -> None:
    site: InProcess = in_process(tmp_path, monkeypatch)
    broken = {"format": 1, "champion": champion, "share": 0, "shadow": False, "timeout": 1}
    site.store.put({"mlops-infra:route:a/broken": json.dumps(broken)}, count=REVISION)
    other = Route("demo", "other", target("1"))
    site.store.put({other.key: other.to_json()}, count=REVISION)
    assert site.gateway.table.refresh()
    assert site.gateway.table.get("demo", "other") is not None
    assert site.figure('item_errors_total{worker="route"}') == 1


def test_the_routes_are_followed_on_whatever_the_store_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_infra.lifecycle.gateway.core.table.POLL_SECONDS", 0.01)
    site = in_process(tmp_path, monkeypatch)
    whole = site.store.get_many

    def failing(_keys: Sequence[str]) -> list[str | None]:
        raise RuntimeError("a fault of the client library")

    async def follow() -> None:
        async with site.gateway.running():
            monkeypatch.setattr(site.store, "get_many", failing)
            await asyncio.sleep(0.1)
            monkeypatch.setattr(site.store, "get_many", whole)
            site.serve(fallback=target("0"))
            await asyncio.sleep(0.1)

    run(follow())
    assert site.figure('item_errors_total{worker="routes"}') > 0
    assert site.figure("worker_restarts_total") == 0
