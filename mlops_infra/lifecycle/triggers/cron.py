"""Times of a cron expression: minute, hour, day of the month, month, day of the week."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mlops_infra.errors import InputError

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _DAYS),
)
_HORIZON_DAYS = 366 * 4 + 1
"""The rarest time there is: the 29th of February."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression; the day counts where either day field fits, as cron has always done."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """Whether both day fields are restricted, so that either is enough."""

    def fits(self, date: datetime.date) -> bool:
        """Whether the expression has a time on this day."""
        if date.month not in self.months:
            return False
        by_month = date.day in self.days
        by_week = date.isoweekday() % 7 in self.weekdays
        return by_month or by_week if self.either_day else by_month and by_week

    def latest(self, now: datetime.datetime, zone: ZoneInfo) -> datetime.datetime | None:
        """The last time that is not after `now`, in UTC; None where there was none for years.

        Times of the zone's clock: one that the clock skips in spring happens at the moment of the
        change, one that it shows twice in autumn happens at the first.
        """
        local = now.astimezone(zone)
        day = local.date()
        for _ in range(_HORIZON_DAYS):
            if self.fits(day):
                found = self._latest_of(day, now, zone)
                if found is not None:
                    return found
            day -= datetime.timedelta(days=1)
        return None

    def _latest_of(
        self, day: datetime.date, now: datetime.datetime, zone: ZoneInfo
    ) -> datetime.datetime | None:
        # not the last on the clock: when clocks change, that is not always the last to happen
        clocks = (
            datetime.datetime.combine(day, datetime.time(hour, minute), tzinfo=zone)
            for hour in self.hours
            for minute in self.minutes
        )
        moments = (clock.astimezone(datetime.UTC) for clock in clocks)
        return max((moment for moment in moments if moment <= now), default=None)


def parse(text: str) -> Cron:
    """Read an expression such as `*/15 6-22 * * mon-fri`.

    Raises:
        InputError: it is none, or no day fits it.
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise InputError(f"'{text}' is not a schedule", hint="five fields, for example 0 3 * * mon")
    sets = [_field(part, text, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    weekdays = frozenset(day % 7 for day in sets[4])
    cron = Cron(
        text=text,
        minutes=sets[0],
        hours=sets[1],
        days=sets[2],
        months=sets[3],
        weekdays=weekdays,
        either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
    )
    start = datetime.date(2024, 2, 29)
    if not any(cron.fits(start + datetime.timedelta(days=n)) for n in range(_HORIZON_DAYS)):
        raise InputError(f"the schedule '{text}' never fires")
    return cron


def _field(
    part: str, text: str, what: str, low: int, high: int, names: tuple[str, ...]
) -> frozenset[int]:
    found: set[int] = set()
    for item in part.lower().split(","):
        span, slash, step_text = item.partition("/")
        try:
            step = int(step_text) if slash else 1
            first, last = _span(span, low, high, names, stepped=bool(slash))
        except ValueError:
            step = first = last = -1
        if step < 1 or not low <= first <= last <= high:
            raise InputError(
                f"'{item}' is not a valid {what}",
                where=text,
                hint=f"{low} to {high}, *, a-b, */n or a list of these",
            )
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _span(
    span: str, low: int, high: int, names: tuple[str, ...], *, stepped: bool
) -> tuple[int, int]:
    if span == "*":
        return low, high
    first, dash, last = span.partition("-")
    start = _number(first, low, names)
    if dash:
        return start, _number(last, low, names)
    return start, high if stepped else start


def _number(word: str, low: int, names: tuple[str, ...]) -> int:
    return names.index(word) + low if word in names else int(word)
