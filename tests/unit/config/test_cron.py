"""Schedules mean what cron and Kubernetes mean by them."""

from __future__ import annotations

import contextlib
import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
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


# --- robfig/cron v3, which Kubernetes and Argo read schedules with, written down a second time

NAMES = {name: n for n, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
MONTHS = {
    name: n
    for n, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
BOUNDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, MONTHS),
    (0, 6, NAMES),
)
STAR = 63


def robfig(text: str) -> list[set[int]] | None:
    """The bits of the five fields as `ParseStandard` sets them; None where it refuses."""
    fields = text.split()
    if len(fields) != 5:
        return None
    try:
        return [_bits(field, *bounds) for field, bounds in zip(fields, BOUNDS, strict=True)]
    except ValueError:
        return None


def _bits(field: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for item in filter(None, field.split(",")):
        parts = item.split("/")
        ends = parts[0].split("-")
        star = ends[0] in ("*", "?")
        if star:
            start, end = low, high
        else:
            start = _int_or_name(ends[0], names)
            end = _int_or_name(ends[1], names) if len(ends) == 2 else start
            if len(ends) > 2:
                raise ValueError("too many hyphens")
        step = 1
        if len(parts) == 2:
            step = int(parts[1])
            if len(ends) == 1:
                end = high
            star = star and step <= 1
        if len(parts) > 2 or start < low or end > high or start > end or step < 1:
            raise ValueError(item)
        found |= set(range(start, end + 1, step)) | ({STAR} if star else set())
    return found


def _int_or_name(word: str, names: dict[str, int]) -> int:
    found = names.get(word.lower())
    if found is None:
        found = int(word)
        if found < 0 or word.startswith("+"):
            raise ValueError(word)
    return found


def comes(bits: list[set[int]]) -> bool:
    """Whether `Next` finds a day within its five years."""
    day = datetime.date(2024, 1, 1)
    for _ in range(5 * 366):
        month, week = day.day in bits[2], day.isoweekday() % 7 in bits[4]
        both = STAR in bits[2] or STAR in bits[4]
        if day.month in bits[3] and ((month and week) if both else (month or week)):
            return True
        day += datetime.timedelta(days=1)
    return False


NUMBER = st.integers(0, 62).map(str)
WORD = st.one_of(NUMBER, st.sampled_from(["mon", "SUN", "jan", "Dec", "7", "0", "x", ""]))
SPAN = st.one_of(
    st.sampled_from(["*", "?", "*", "*"]),
    WORD,
    st.tuples(WORD, WORD).map("-".join),
    st.tuples(WORD, WORD, WORD).map("-".join),
)
ITEM = st.one_of(SPAN, st.tuples(SPAN, WORD).map("/".join))
FIELD = st.lists(ITEM, min_size=1, max_size=3).map(",".join)
LIKELY = st.tuples(
    *(
        st.one_of(
            st.just("*"),
            st.integers(low, high).map(str),
            st.integers(1, high).map(lambda n: f"*/{n}"),
            st.tuples(st.integers(low, high), st.integers(low, high)).map(
                lambda ends: f"{min(ends)}-{max(ends)}"
            ),
            FIELD,
        )
        for low, high, _names in BOUNDS
    )
).map(" ".join)


@settings(max_examples=600, deadline=None)
@given(LIKELY)
@example("0 0 31 2 *")
@example("0 0 31 2 mon")
@example("0 0 31 2 */2")
@example("0 0 */2 2 mon")
@example("0 0 30,31 2,4 ?")
@example("0 0 29 2 *")
@example("0,*/5 0 1,* * 1")
def test_a_schedule_passes_where_kubernetes_takes_it_and_means_the_same(text: str) -> None:
    bits = robfig(text)
    # two forms that robfig takes are refused here: `1,,2`, and `*-5`, which means `*`
    odd = any(
        "" in field.split(",") or any(item[:2] in ("*-", "?-") for item in field.split(","))
        for field in text.split()
    )
    try:
        cron = parse(text)
    except InvalidValueError:
        assert bits is None or odd or not comes(bits)
        return
    assert bits is not None
    assert comes(bits)
    fields = (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays)
    assert [set(field) for field in fields] == [each - {STAR} for each in bits]
    assert cron.either_day == (STAR not in bits[2] and STAR not in bits[4])


@given(st.text(alphabet="0123456789*/,-? abcLW#\u0661", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidValueError):
        parse(text)
