"""Claims in a real PostgreSQL: two controllers, crashes between claim and start, one training."""

from __future__ import annotations

import datetime
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.services import database
from mlops_infra.lifecycle.triggers import signals
from mlops_infra.lifecycle.triggers.controller import Controller
from mlops_infra.lifecycle.triggers.declared import DataSource, DeclaredModel, read
from mlops_infra.lifecycle.triggers.ledger import Ledger
from mlops_infra.lifecycle.triggers.rules import Policy
from mlops_infra.lifecycle.triggers.signals import Listed, Reading
from tests.engine import postgres

NOW = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
_numbers = itertools.count(1)


@pytest.fixture
def conninfo(postgresql: str) -> str:
    return postgres.fresh(postgresql, f"triggers{next(_numbers)}")


class FakeCluster:
    """Workflows by name, shared by all controllers of a test."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self.created = 0
        self.phases: dict[str, str] = {}
        self.down = False
        self._lock = threading.Lock()

    def create(self, namespace: str, manifest: Mapping[str, Any]) -> bool:
        if self.down:
            raise OperationFailed("Kubernetes did not answer")
        with self._lock:
            name = manifest["metadata"]["name"]
            if name in self.made:
                return False
            self.made[name] = dict(manifest)
            self.created += 1
            return True

    def status(self, namespace: str, name: str) -> tuple[str, str] | None:
        return (self.phases.get(name, "Running"), "") if name in self.made else None


class FakeSensors:
    """What the test lets triggers see."""

    def __init__(self) -> None:
        self.listed: list[Listed] = []
        self.result: dict[str, Any] | None = None

    def objects(self, source: DataSource) -> Sequence[Listed]:
        return self.listed

    def reading(self, model: DeclaredModel) -> Reading | None:
        return None

    def drift(self, model: DeclaredModel) -> dict[str, Any] | None:
        return self.result

    def put(self, key: str, etag: str) -> None:
        self.listed = [each for each in self.listed if each.key != key]
        self.listed.append(Listed(key, etag, NOW - 24 * HOUR))


class World:
    """Controllers on one database, one cluster and one clock."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo, self.cluster, self.sensors, self.now = (
            conninfo,
            FakeCluster(),
            FakeSensors(),
            NOW,
        )
        source = DataSource("b", "", datetime.timedelta(minutes=1), 1)
        self.model = DeclaredModel(
            "demo", "wine", "tenant-demo", "p", policy=Policy(HOUR), data=source, drift=True
        )

    def controller(self, name: str = "one") -> Controller:
        ledger = Ledger(partial(database.connect, self.conninfo), name)
        return Controller(
            (self.model,),
            ledger,
            self.cluster,
            lambda model, claim: {"metadata": {"name": claim.workflow}},
            self.sensors,
            clock=lambda: self.now,
        )

    def events(self) -> list[dict[str, Any]]:
        return self.controller().ledger.events()


@pytest.fixture
def world(conninfo: str) -> World:
    made = World(conninfo)
    made.controller().tick()  # the first look only looks
    return made


def test_new_data_trains_once_waits_for_the_cool_down_and_records_why(world: World) -> None:
    controller = world.controller()
    world.sensors.put("day1.csv", "a")
    for _ in range(3):
        controller.tick()
    (workflow,) = world.cluster.made
    world.cluster.phases[workflow] = "Succeeded"
    world.sensors.put("day2.csv", "b")
    controller.tick()
    controller.tick()
    assert world.cluster.created == 1
    waiting = next(event for event in world.events() if event["state"] == "waiting")
    assert waiting["detail"].startswith("cool-down until 2026-03-02T13:00:00")
    world.now += HOUR
    controller.tick()
    assert world.cluster.created == 2
    done = [event for event in world.events() if event["outcome"] == "succeeded"]
    assert [event["cause"]["text"] for event in done] == ["1 new object: day1.csv"]


def test_two_controllers_at_once_start_one_training(world: World) -> None:
    world.sensors.put("new.csv", "a")
    barrier = threading.Barrier(4)

    def run(name: str) -> None:
        controller = world.controller(name)
        barrier.wait()
        for _ in range(3):
            controller.tick()
        assert controller.errors == {}

    threads = [threading.Thread(target=run, args=(f"c{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.cluster.created == 1
    assert [event["state"] for event in world.events()] == ["fired"]


_KILLED = """
import os, signal, sys
from tests.engine.test_triggers_postgres import World
world = World(sys.argv[1])
world.sensors.put("new.csv", "a")
def die(namespace, manifest):
    os.kill(os.getpid(), signal.SIGKILL)
world.cluster.create = die
world.controller("killed").tick()
"""


def test_a_claim_of_a_killed_controller_is_carried_out_once(world: World) -> None:
    """kill -9 after the claim is in the database and before Kubernetes has heard of it."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, world.conninfo],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    (claimed,) = world.events()
    assert (claimed["state"], claimed["outcome"]) == ("claimed", None)
    world.sensors.put("new.csv", "a")
    for name in ("two", "three"):
        world.controller(name).tick()
    assert list(world.cluster.made) == [claimed["workflow"]]
    assert world.cluster.created == 1


def test_a_cluster_that_is_away_delays_a_training_and_loses_none(world: World) -> None:
    world.sensors.put("new.csv", "a")
    world.cluster.down = True
    controller = world.controller()
    controller.tick()
    assert controller.errors == {"demo/wine/start": 1}
    world.cluster.down = False
    controller.tick()
    assert world.cluster.created == 1


def test_a_refused_training_is_told_and_does_not_block_the_next(world: World) -> None:
    controller = world.controller()
    world.sensors.put("new.csv", "a")
    create = world.cluster.create

    def refuse(namespace: str, manifest: Mapping[str, Any]) -> bool:
        raise InputError("Kubernetes did not create it: HTTP 403 Forbidden")

    world.cluster.create = refuse  # type: ignore[method-assign]
    controller.tick()
    assert "403" in world.events()[0]["detail"]
    world.cluster.create = create  # type: ignore[method-assign]
    world.sensors.put("newer.csv", "b")
    controller.tick()
    assert world.cluster.created == 1


def test_drift_that_is_seen_again_while_its_training_runs_is_answered_by_it(world: World) -> None:
    result = {"id": "r1", "version": "1", "at": NOW, "share": 1.0, "drifted": True, "columns": []}
    controller = world.controller()
    world.sensors.result = result
    controller.tick()
    (workflow,) = world.cluster.made
    alert = {"labels": {"alertname": "ModelDrift"}, "startsAt": "2026-03-02T12:01:00Z"}
    decision = controller.ask(world.model, signals.alert("wine", alert, NOW))
    assert decision.hold == f"{workflow} is running"
    world.sensors.result = {**result, "id": "r2"}
    controller.tick()
    world.cluster.phases[workflow] = "Succeeded"
    controller.tick()
    world.now += 2 * HOUR
    controller.tick()
    assert world.cluster.created == 1
    assert {event["workflow"] for event in world.events()} == {workflow}


def test_a_workflow_that_vanished_is_told_as_lost(world: World) -> None:
    controller = world.controller()
    world.sensors.put("new.csv", "a")
    controller.tick()
    world.cluster.made.clear()
    controller.tick()
    assert [event["outcome"] for event in world.events()] == ["lost"]


def test_a_person_is_answered_at_once_and_told_what_is_under_way(world: World) -> None:
    controller = world.controller()

    def ask(request: str) -> Any:
        return controller.ask(
            world.model, signals.on_demand("wine", request, "new labels", "kim", world.now)
        )

    assert ask("r1").fire is not None
    assert ask("r1").hold is None, "the same request again is no second training"
    assert "is running" in ask("r2").hold
    assert world.cluster.created == 1
    asked = next(event for event in world.events() if event["key"] == "r1")
    assert asked["cause"] == {"text": "new labels", "by": "kim"}


def test_the_plans_document_is_read_and_mistakes_in_it_are_told() -> None:
    text = """{"models": [{"tenant": "demo", "name": "wine", "namespace": "tenant-demo",
      "pipeline": "tabular-classification", "retrain": {"schedule": "0 3 * * *",
      "timezone": "Asia/Seoul", "coolDown": "30m", "newData": {"prefix": "in/"},
      "windows": [{"days": ["sat"], "opens": "22:00", "closes": "04:00"}]}}]}"""
    (model,), refused = read(text, "models.json")
    assert refused == ()
    assert model.policy.cool_down == HOUR / 2
    assert model.data is not None
    assert (model.data.bucket, model.data.prefix) == ("tenant-demo", "in/")
    for broken in ("{}", "["):
        with pytest.raises(InputError):
            read(broken, "models.json")
    for broken in (text.replace("30m", "soon"), text.replace("Asia/Seoul", "Moon")):
        good, (other,) = read(broken, "models.json")
        assert (good, other.tenant, other.name) == ((), "demo", "wine")


@pytest.fixture
def http(world: World) -> Iterator[Any]:
    for package in ("httpx", "starlette", "uvicorn"):
        pytest.importorskip(package, reason=f"no {package}: pip install 'mlops-infra[lifecycle]'")
    import httpx
    import uvicorn

    from mlops_infra.lifecycle.triggers.app import TriggerApp

    app = TriggerApp(world.controller(), "secret", 0.2).app()
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    headers = {"Authorization": "Bearer secret"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
        yield client
    server.should_exit = True
    thread.join()


def test_over_http_a_training_is_asked_for_once_and_shown(world: World, http: Any) -> None:
    body = {"tenant": "demo", "model": "wine", "reason": "new labels", "by": "kim", "request": "r"}
    started = http.post("/retrain", json=body)
    assert (started.status_code, started.json()["workflow"]) == (
        202,
        next(iter(world.cluster.made)),
    )
    assert http.post("/retrain", json=body).status_code == 202, "a client that asks again"
    other = http.post("/retrain", json={**body, "request": "another"})
    assert (other.status_code, other.json()["started"]) == (409, False)
    assert "is running" in other.json()["why"]
    assert world.cluster.created == 1
    events = http.get("/events?tenant=demo&model=wine").json()["events"]
    assert {event["cause"]["text"] for event in events} == {"new labels"}
    unknown = http.post("/retrain", json={**body, "model": "beer"})
    assert (unknown.status_code, unknown.json()["where"]) == (422, "declared: demo/wine")


def test_alerts_train_once_however_often_alertmanager_repeats_them(world: World, http: Any) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "ModelDrift", "tenant": "demo", "model": "wine"},
        "startsAt": "2026-03-02T11:00:00Z",
        "fingerprint": "f00d",
    }
    stranger = {**alert, "labels": {"alertname": "DiskFull"}}
    told = http.post("/alerts", json={"alerts": [alert, stranger, {**alert, "status": "resolved"}]})
    assert told.json()["taken"] == ["demo/wine"]
    assert len(told.json()["left"]) == 1
    http.post("/alerts", json={"alerts": [alert]})
    assert world.cluster.created == 1


def test_nobody_starts_trainings_without_the_token(world: World, http: Any) -> None:
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": ""}):
        for ask in (http.post("/retrain", headers=headers), http.get("/events", headers=headers)):
            assert ask.status_code == 401
    assert http.get("/healthz").status_code == 200
    assert http.post("/retrain", content=b"{").status_code == 422
    assert world.cluster.created == 0


def test_prometheus_reads_trainings_drift_and_batch_jobs(world: World, http: Any) -> None:
    with database.connect(world.conninfo) as connection:
        connection.execute(
            "INSERT INTO drift_result VALUES (gen_random_uuid(), 'demo', 'wine', '3', now(), now(),"
            """ 200, true, 0.5, '[{"name": "acid", "score": 0.01}]', '["acid: outside"]')"""
        )
    controller = world.controller()
    world.sensors.put("new.csv", "a")
    controller.tick()
    text = http.get("/metrics").text
    for line in (
        "mlops_infra_up 1.0",
        'mlops_infra_drift_detected{model="wine",tenant="demo",version="3"} 1.0',
        'mlops_infra_drift_column_score{column="acid",model="wine",tenant="demo",version="3"} 0.01',
        'mlops_infra_trainings{model="wine",outcome="running",tenant="demo"} 1.0',
    ):
        assert line in text
