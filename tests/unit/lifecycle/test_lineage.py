from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.lineage import Lineage, Pair
from tests.unit.lifecycle.fakes import FakeKeyValue

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
    with pytest.raises(OperationFailed, match="did not write"):
        Lineage(store).by_pipeline_run("p1")
