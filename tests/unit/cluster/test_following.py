"""What follows the API for the cluster: an object costs itself, a thread that ends comes back."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.cluster.api.watched_collection import Mirror
from mlops_infra.cluster.control_plane.volume_provisioner import Provisioner
from mlops_infra.cluster.network_policies import engine
from mlops_infra.cluster.network_policies.rules import Pod
from mlops_infra.cluster.supervision.process import ProcessSpec
from mlops_infra.cluster.supervision.supervisor import Supervisor


def item(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "demo", "name": name}, **more}


class FakeApi:
    """Lists what it has; its watch tells what is put into `events`."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.events: list[dict[str, Any]] = []
        self.lists = 0
        self.raises: list[Exception] = []

    def get(self, _path: str) -> dict[str, Any]:
        if self.raises:
            raise self.raises.pop()
        self.lists += 1
        return {"items": self.items, "metadata": {"resourceVersion": "1"}}

    def watch(self, _path: str, _version: str) -> Iterator[dict[str, Any]]:
        while True:
            if self.events:
                yield self.events.pop(0)
            time.sleep(0.005)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def mirror(api: FakeApi, said: list[str]) -> Mirror[int]:
    made: Mirror[int] = Mirror(
        api,  # type: ignore[arg-type]
        "/things",
        lambda each: int(each["size"]),
        changed=lambda: None,
        say=said.append,
    )
    made.start()
    return made


def test_an_object_that_cannot_be_read_costs_that_object() -> None:
    said: list[str] = []
    api = FakeApi(item("a", size=1), item("b", size="large"), item("c", size=3))
    made = mirror(api, said)
    until(lambda: made.listed)
    assert made.items() == {"demo/a": 1, "demo/c": 3}
    assert "demo/b cannot be read" in said[0]
    api.events.append({"type": "MODIFIED", "object": item("a")})
    until(lambda: "demo/a" not in made.items())
    api.events.append({"type": "ADDED", "object": item("d", size=4)})
    until(lambda: made.items().get("demo/d") == 4)


def test_whatever_the_api_answers_the_following_goes_on() -> None:
    said: list[str] = []
    api = FakeApi(item("a", size=1))
    api.raises = [ValueError("no JSON"), KeyError("items")]
    made = mirror(api, said)
    until(lambda: made.listed)
    api.events.append({"no": "event"})
    until(lambda: api.lists > 1)
    assert made.alive


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_killed_is_seen_and_started_again() -> None:
    made = mirror(FakeApi(item("a", size=1)), [])
    until(lambda: made.listed)
    (thread,) = [each for each in threading.enumerate() if each.name == "/things" and each.daemon][
        -1:
    ]
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
    )
    until(lambda: not made.alive)
    made.start()
    assert made.alive


def policy(namespace: str, spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace}, "spec": spec}


def test_a_policy_that_cannot_be_read_shuts_its_namespace_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(engine, "_say", said.append)
    pods = [Pod(name, "p", f"10.0.0.{n}", {}, ()) for n, name in enumerate(("a", "b"), 1)]
    spaces: dict[str, Mapping[str, str]] = {"a": {}, "b": {}}
    open_to_all = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
    good, shut = (
        policy("b", open_to_all),
        policy("a", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
    )
    broken = policy("a", {"podSelector": 5})
    found = engine._walls(pods, spaces, {"a/broken": broken, "b/good": good})
    assert found == engine._walls(pods, spaces, {"a/shut": shut, "b/good": good})
    assert found != engine._walls(pods, spaces, {"b/good": good})
    assert "a/broken cannot be read" in said[0]


def test_a_claim_of_an_odd_form_stops_no_other_one(tmp_path: Path) -> None:
    provisioner = Provisioner(FakeApi(), tmp_path, "/volumes")  # type: ignore[arg-type]

    def odd(_item: dict[str, Any]) -> None:
        raise KeyError("spec")

    assert not provisioner._done(odd, item("a"))
    assert provisioner._done(lambda _item: None, item("b"))


class FakeLayout:
    def __init__(self, folder: Path) -> None:
        self.pki = self.logs = folder
        self.plan = folder / "supervisor.json"
        self._folder = folder

    def log(self, name: str) -> Path:
        return self._folder / "missing" / name if name == "lost" else self._folder / name


def test_a_process_that_cannot_be_started_waits_and_the_others_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [ProcessSpec(name, ("true",)).as_dict() for name in ("lost", "found")]
    supervisor = Supervisor(FakeLayout(tmp_path), {})  # type: ignore[arg-type]
    supervisor.adopt({"children": specs})
    lost, found = supervisor.children
    now = time.monotonic()
    with monkeypatch.context() as frozen:  # on a busy machine its pause may be over at once
        frozen.setattr(time, "monotonic", lambda: now)
        supervisor._start_due()
        assert (lost.pid, lost.due) == (None, False)
    until(lambda: (supervisor.reap(), found.exits)[1])
    assert "No such file" in lost.report().last
    assert "lost not started" in capsys.readouterr().err
    supervisor.layout.plan.write_text("{}")
    supervisor._adopt_again()
    assert supervisor.children == [lost, found]
