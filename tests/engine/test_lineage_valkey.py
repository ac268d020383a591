"""Lineage and claims on a real Valkey, killed writers included."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.lineage.endpoint_history import EndpointHistory, Step
from mlops_infra.lifecycle.lineage.index import Lineage, Pair
from mlops_infra.lifecycle.lineage.traces import KINDS, Trace
from mlops_infra.lifecycle.services.valkey import ValkeyStore
from tests.engine import valkey_server
from tests.engine.valkey_server import Valkey

WRITER = """
import sys
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.services.valkey import ValkeyStore
from tests.engine.test_lineage_valkey import trace
lineage = Lineage(ValkeyStore(sys.argv[1], sys.argv[2]))
for number in range(10**6):
    lineage.record(trace(number))
    print(number, flush=True)
"""


def trace(number: int) -> Trace:
    return Trace(
        pipeline_run=f"p{number}",
        tracking_run=f"t{number}",
        data=f"{number:064x}",
        model=f"wine/{number}",
        endpoint=f"demo/wine-{number}",
        commit=f"{number:040x}"[::-1],
    )


@pytest.fixture
def url(valkey: Valkey) -> str:
    return valkey[0]


@pytest.fixture
def store(url: str) -> ValkeyStore:
    return ValkeyStore(url, valkey_server.PASSWORD)


def test_a_killed_writer_leaves_whole_records_only(url: str, store: ValkeyStore) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, url, valkey_server.PASSWORD],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    told = 0
    while told < 200:
        told = int(writer.stdout.readline())
    writer.kill()
    writer.wait()
    writer.stdout.close()
    lineage = Lineage(store)
    keys = store.keys("mlops-infra:lineage:by:model:wine/*")
    written = [int(key.rpartition("/")[2]) for key in keys]
    assert len(written) > told, "all that was told is there"
    for number in sorted(written)[-5:]:
        wanted = trace(number)
        assert [lineage.find(wanted.ids[kind]) for kind in KINDS] == [[wanted]] * 6


def test_pairs_of_an_older_release_are_found(store: ValkeyStore) -> None:
    lineage = Lineage(store)
    lineage.link(Pair(pipeline_run="old-p", tracking_run="old-t"))
    lineage.record(Trace(tracking_run="old-t", model="old/1"))
    assert [found.ids for found in lineage.find("old-p")] == [
        {"pipeline_run": "old-p", "tracking_run": "old-t", "model": "old/1"}
    ]


def test_contradictions_write_nothing(store: ValkeyStore) -> None:
    lineage = Lineage(store)
    lineage.record(Trace(tracking_run="c1", data="a" * 64))
    with pytest.raises(OperationFailed, match="contradicts"):
        lineage.record(Trace(tracking_run="c1", data="b" * 64, model="c/1"))
    assert lineage.find("c/1") == []


def test_steps_are_told_once(store: ValkeyStore) -> None:
    history = EndpointHistory(store)
    for what in ("judged", "deployed", "judged"):
        history.add(Step(endpoint="demo/steps", version="1", what=what, rollout="r"))
    assert [step.what for step in history.of("demo/steps")] == ["judged", "deployed"]


def test_one_holder_at_a_time_until_it_runs_out(store: ValkeyStore) -> None:
    assert store.claim("k", "a", seconds=60) is None
    assert store.claim("k", "b", seconds=1) == "a"
    assert not store.extend("k", "b", seconds=1)
    store.release("k", "b")
    assert store.claim("k", "b", seconds=1) == "a"
    assert store.extend("k", "a", seconds=0.1)
    time.sleep(0.2)
    assert store.claim("k", "b", seconds=1) is None
    store.release("k", "b")
    assert store.claim("k", "c", seconds=1) is None
