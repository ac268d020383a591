"""What triggers make of the world: each occurrence once."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.config.language.cron import parse
from mlops_infra.lifecycle.triggers import signals
from mlops_infra.lifecycle.triggers.signals import Bounds, Listed, Reading

NOW = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
SETTLE = datetime.timedelta(minutes=1)
OLD = NOW - datetime.timedelta(hours=1)


def look(objects: dict[str, str], mark: dict[str, Any] | None, *, modified: Any = OLD) -> Any:
    listed = [Listed(key, etag, modified) for key, etag in objects.items()]
    return signals.new_data("wine", listed, mark, NOW, settle=SETTLE)


def test_the_first_look_at_a_bucket_only_looks() -> None:
    seen = look({"a": "1"}, None)
    assert seen.signal is None
    assert look({"a": "1"}, seen.watermark).signal is None


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from("123"), max_size=4), max_size=8
    )
)
def test_every_change_of_content_is_told_once(states: list[dict[str, str]]) -> None:
    mark: dict[str, Any] = {"objects": {}}
    held: dict[str, str] = {}
    for state in states:
        fresh = {key for key, etag in state.items() if held.get(key) != etag}
        seen = look(state, mark)
        assert (seen.signal is not None) == bool(fresh)
        mark, held = seen.watermark or mark, state
        assert look(state, mark).signal is None


def test_an_upload_under_way_is_not_new_data_yet() -> None:
    mark = {"objects": {}}
    assert look({"a": "1"}, mark, modified=NOW - SETTLE / 2).signal is None
    later = look({"a": "1"}, mark)
    assert later.signal is not None
    assert later.signal.cause["text"] == "1 new object: a"


def test_two_controllers_name_the_same_data_alike() -> None:
    one, two = (look({"a": "1", "b": "2"}, {"objects": {}}).signal for _ in range(2))
    assert one.key == two.key


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=30))
def test_a_schedule_fires_for_its_latest_time_only(steps: list[int]) -> None:
    cron, zone, now = parse("0 */6 * * *"), ZoneInfo("UTC"), NOW
    mark = signals.schedule("wine", cron, zone, None, now).watermark
    slots = []
    for minutes in steps:
        now += datetime.timedelta(minutes=minutes)
        seen = signals.schedule("wine", cron, zone, mark, now)
        mark = seen.watermark or mark
        if seen.signal is not None:
            slots.append(seen.signal.key)
            assert now - seen.signal.at < datetime.timedelta(hours=6)
    assert slots == sorted(set(slots))


def test_a_metric_fires_when_it_is_worse_and_once_for_a_measurement() -> None:
    bounds = Bounds("accuracy", drop=0.05)
    worse = Reading(0.85, "run:2:17", baseline=0.95)
    seen = signals.metric_drop("wine", bounds, worse, None, NOW)
    assert seen.signal is not None
    assert "0.1 less than the 0.95" in str(seen.signal.cause["text"])
    assert signals.metric_drop("wine", bounds, worse, seen.watermark, NOW).signal is None
    good = Reading(0.94, "run:3:18", baseline=0.95)
    assert signals.metric_drop("wine", bounds, good, seen.watermark, NOW).signal is None
    low = Bounds("accuracy", below=0.95)
    assert signals.metric_drop("wine", low, good, None, NOW).signal is not None


def test_an_alert_that_is_sent_again_is_the_same_event() -> None:
    alert = {"labels": {"alertname": "ModelDrift"}, "startsAt": "2026-03-02T11:00:00Z"}
    again = signals.alert("wine", {**alert, "endsAt": "later"}, NOW + SETTLE)
    assert signals.alert("wine", alert, NOW).key == again.key
    assert signals.alert("wine", {**alert, "startsAt": "another"}, NOW).key != again.key


def test_drift_is_told_once_for_each_result() -> None:
    result = {"id": "x", "version": "3", "at": NOW, "share": 0.6, "drifted": True, "columns": ["a"]}
    seen = signals.drift("wine", result, None)
    assert seen.signal is not None
    assert signals.drift("wine", result, seen.watermark).signal is None
    assert signals.drift("wine", {**result, "id": "y", "drifted": False}, None).signal is None
