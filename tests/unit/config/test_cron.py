"""Schedules mean what cron and Kubernetes mean by them."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.config.language.cron import parse
from mlops_infra.config.language.invalid import InvalidValueError

UTC = ZoneInfo("UTC")


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("cron", "now", "latest"),
    [
        ("0 3 * * *", "2026-03-02T03:00", "2026-03-02T03:00"),
        ("0 3 * * *", "2026-03-02T02:59", "2026-03-01T03:00"),
        ("*/15 * * * *", "2026-03-02T10:44:59", "2026-03-02T10:30"),
        ("30 6-22/4 * * mon-fri", "2026-03-07T12:00", "2026-03-06T22:30"),
        ("0 0 1 * *", "2026-03-15T00:00", "2026-03-01T00:00"),
        ("0 0 * * 0", "2026-03-04T00:00", "2026-03-01T00:00"),
        ("0 0 ? * sun", "2026-03-04T00:00", "2026-03-01T00:00"),
        ("0 0 */2 * 1-5/2", "2026-03-04T00:00", "2026-03-04T00:00"),  # a step restricts as well
        ("0 0 13 * fri", "2026-03-12T00:00", "2026-03-06T00:00"),  # either day field
        ("0 0 29 feb *", "2026-03-02T00:00", "2024-02-29T00:00"),
    ],
)
def test_the_latest_time_of_a_schedule(cron: str, now: str, latest: str) -> None:
    assert parse(cron).latest(at(now), UTC) == at(latest)


def test_times_are_those_of_the_zones_clock_also_when_it_changes() -> None:
    seoul = parse("0 3 * * *").latest(at("2026-03-02T00:00"), ZoneInfo("Asia/Seoul"))
    assert seoul == at("2026-03-01T18:00")
    york = ZoneInfo("America/New_York")
    # 2026-03-08: the clock jumps from 2:00 to 3:00, 2:30 does not exist and happens at 3:30
    assert parse("30 2 * * *").latest(at("2026-03-08T12:00"), york) == at("2026-03-08T07:30")


@given(
    st.datetimes(
        datetime.datetime(2000, 1, 1),
        datetime.datetime(2040, 1, 1),
        timezones=st.just(datetime.UTC),
    ),
    st.sampled_from(["*/7 * * * *", "5 4 * * 1", "0 0,12 1-7 * *", "59 23 31 12 *"]),
    st.sampled_from(["UTC", "Asia/Seoul", "Europe/Berlin"]),
)
def test_the_latest_time_is_never_late_and_never_goes_back(
    now: datetime.datetime, cron: str, zone: str
) -> None:
    schedule, there = parse(cron), ZoneInfo(zone)
    latest = schedule.latest(now, there)
    assert latest is not None
    assert latest <= now
    assert schedule.latest(latest, there) == latest
    later = schedule.latest(now + datetime.timedelta(hours=7), there)
    assert later is not None
    assert later >= latest


@pytest.mark.parametrize(
    "cron", ["", "* * * *", "60 * * * *", "* 24 * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *",
             "0 0 30 2 *", "* * * * * *", "-1 * * * *"]
)  # fmt: skip
def test_what_is_no_schedule_is_refused(cron: str) -> None:
    with pytest.raises(InvalidValueError):
        parse(cron)
