from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.lineage.index import Lineage, Pair
from mlops_infra.lifecycle.lineage.traces import Trace
from tests.unit.lifecycle.serving.fakes import FakeStore
from tests.unit.lifecycle.verify.fakes import FakeKeyValue

ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:/-]{0,40}\Z")


@given(pipeline=ids, tracking=ids)
def test_each_run_leads_to_the_other(pipeline: str, tracking: str) -> None:
    lineage = Lineage(FakeKeyValue())
    pair = Pair(pipeline_run=pipeline, tracking_run=tracking)
    lineage.link(pair)
    lineage.link(pair)
    assert lineage.by_pipeline_run(pipeline) == pair
    assert lineage.by_tracking_run(tracking) == pair
    assert lineage.forget(pair) == 2
    assert lineage.by_pipeline_run(pipeline) is None


def test_a_pair_is_never_changed() -> None:
    lineage = Lineage(FakeKeyValue())
    lineage.link(Pair(pipeline_run="p1", tracking_run="t1"))
    with pytest.raises(OperationFailed, match="t1"):
        lineage.link(Pair(pipeline_run="p1", tracking_run="t2"))
    assert lineage.by_tracking_run("t2") is None


def test_half_a_pair_is_told() -> None:
    store = FakeKeyValue()
    lineage = Lineage(store)
    pair = Pair(pipeline_run="p1", tracking_run="t1")
    lineage.link(pair)
    store.delete(["mlops-infra:lineage:tracking:t1"])
    with pytest.raises(OperationFailed, match="half of it"):
        lineage.link(pair)


@given(st.text().filter(lambda text: not text.isascii() or not text or " " in text))
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Pair(pipeline_run=text, tracking_run="t1")


@pytest.mark.parametrize("held", ["", "[]", '{"pipeline_run": 1}', '{"pipeline_run": "p1"}'])
def test_a_foreign_value_is_no_crash(held: str) -> None:
    store = FakeKeyValue()
    store.held["mlops-infra:lineage:pipeline:p1"] = held
    with pytest.raises(OperationFailed, match="not written by this program"):
        Lineage(store).by_pipeline_run("p1")


DATA, COMMIT = "d" * 64, "0123abc" * 5

HISTORY = [
    Trace(pipeline_run="p1", tracking_run="t1", data=DATA, model="wine/1", commit=COMMIT),
    Trace(pipeline_run="p2", tracking_run="t2", data=DATA, model="wine/10", commit=COMMIT),
    Trace(model="wine/1", endpoint="demo/wine"),
    Trace(model="wine/10", endpoint="demo/wine"),
    Trace(model="wine/10", endpoint="other/wine"),
]


@pytest.mark.parametrize(
    ("any_id", "models"),
    [
        ("p1", ["wine/1"]),
        ("t2", ["wine/10", "wine/10"]),
        (DATA, ["wine/1", "wine/10", "wine/10"]),
        (DATA[:7], ["wine/1", "wine/10", "wine/10"]),
        ("wine/1", ["wine/1"]),
        ("demo/wine", ["wine/1", "wine/10"]),
        ("other/wine", ["wine/10"]),
        (COMMIT[:9], ["wine/1", "wine/10", "wine/10"]),
        ("wine", []),
        ("ddd", []),
    ],
)
def test_each_of_six_ids_leads_to_all_others(any_id: str, models: list[str]) -> None:
    lineage = Lineage(FakeStore())
    for trace in HISTORY:
        lineage.record(trace)
        lineage.record(trace)
    found = lineage.find(any_id)
    assert [trace.model for trace in found] == models
    assert all(len(trace.ids) == 6 for trace in found), "each is whole"


@given(st.permutations(HISTORY))
def test_the_order_of_recording_does_not_matter(order: list[Trace]) -> None:
    lineage = Lineage(FakeStore())
    for trace in order:
        lineage.record(trace)
    assert len(lineage.find(DATA)) == 3


def test_older_pairs_are_found_and_completed() -> None:
    lineage = Lineage(FakeStore())
    lineage.link(Pair(pipeline_run="p1", tracking_run="t1"))
    assert lineage.find("p1") == [Trace(pipeline_run="p1", tracking_run="t1")]
    lineage.record(Trace(tracking_run="t1", model="wine/1"))
    lineage.record(Trace(model="wine/1", endpoint="demo/wine"))
    whole = Trace(pipeline_run="p1", tracking_run="t1", model="wine/1", endpoint="demo/wine")
    assert lineage.find("p1") == lineage.find("demo/wine") == [whole]


def test_what_is_recorded_is_never_contradicted() -> None:
    store = FakeStore()
    lineage = Lineage(store)
    lineage.record(HISTORY[0])
    before = (dict(store.held), {key: set(each) for key, each in store.sets.items()})
    with pytest.raises(OperationFailed, match="contradicts"):
        lineage.record(Trace(tracking_run="t1", data="e" * 64, model="wine/2"))
    assert (store.held, store.sets) == before, "nothing of it is written"


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"data": "short"},
        {"model": "wine"},
        {"model": "wine/x"},
        {"endpoint": "wine"},
        {"commit": "not-hex"},
        {"pipeline_run": ""},
        {"tracking_run": "a b"},
    ],
)
def test_ids_of_another_form_are_refused(ids: dict[str, str]) -> None:
    with pytest.raises(InputError):
        Trace(**ids)
