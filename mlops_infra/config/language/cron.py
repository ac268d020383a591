"""Cron expressions by the rules of Kubernetes: minute, hour, day of month, month, day of week.

Kubernetes and Argo read them with robfig/cron v3. What that parser refuses is refused here, and
what passes means the same: one text says the same to a CronJob and to the trigger controller.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mlops_infra.config.language.invalid import InvalidValueError

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EVERY = ("*", "?")
_HORIZON_DAYS = 366 * 4 + 1
"""The rarest time there is: the 29th of February."""
_EXAMPLE = "for example 0 3 * * mon"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an expression."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    """Words for the numbers from `low` on."""


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of week", 0, 6, DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression that has at least one time."""

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
        InvalidValueError: Kubernetes would refuse it, or it never comes.
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        message = f"'{text}' has {len(parts)} fields, a schedule has {len(FIELDS)}"
        raise InvalidValueError(message, _EXAMPLE)
    minutes, hours, days, months, weekdays = (
        _values(part, field) for part, field in zip(parts, FIELDS, strict=True)
    )
    cron = Cron(
        text=text,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        either_day=not _is_open(parts[2]) and not _is_open(parts[4]),
    )
    start = datetime.date(2024, 2, 29)
    if not any(cron.fits(start + datetime.timedelta(days=n)) for n in range(_HORIZON_DAYS)):
        raise InvalidValueError(f"'{text}' never comes: no month has that day", _EXAMPLE)
    return cron


def _is_open(part: str) -> bool:
    """Whether a day field leaves the choice to the other: `*`, but not `*/2`, which restricts."""
    return any(
        item.partition("/")[0] in _EVERY and int(item.partition("/")[2] or 1) == 1
        for item in part.split(",")
    )


def _values(part: str, field: Field) -> frozenset[int]:
    found: set[int] = set()
    for item in part.lower().split(","):
        found.update(_range(item, field))
    return frozenset(found)


def _range(item: str, field: Field) -> range:
    """The values of `*`, `5`, `1-5`, each with or without a step: `*/15`, `5/15`, `1-5/2`."""
    span, slash, step_text = item.partition("/")
    first_text, dash, last_text = span.partition("-")
    if span in _EVERY:
        first, last = field.low, field.high
    else:
        first = _number(first_text, item, field)
        last = _number(last_text, item, field) if dash else first
    step = 1
    if slash:
        step = _digits(step_text, item, field)
        last = last if dash else field.high
    for number in (first, last):
        if not field.low <= number <= field.high:
            raise InvalidValueError(
                f"{field.name} {number} is not within {field.low} to {field.high}",
                "Sunday is 0 or sun" if field.names is DAYS and number == 7 else None,
            )
    if first > last:
        message = f"{field.name} '{item}' ends before it begins"
        parts = f"{first_text}-{_word(field.high, field)},{_word(field.low, field)}-{last_text}"
        raise InvalidValueError(message, f"as a list: {parts}")
    if step == 0:
        raise InvalidValueError(f"{field.name} '{item}' has a step of 0", "1 or more")
    return range(first, last + 1, step)


def _number(word: str, item: str, field: Field) -> int:
    if word in field.names:
        return field.names.index(word) + field.low
    return _digits(word, item, field)


def _digits(word: str, item: str, field: Field) -> int:
    # `isdigit` alone takes digits of other scripts, and a list of digits may be as long as memory
    if word.isascii() and word.isdigit() and len(word) <= 4:
        return int(word)
    raise InvalidValueError(
        f"'{item}' is not a valid {field.name}",
        f"{field.low} to {field.high}, *, a-b, */n or a list of these",
    )


def _word(number: int, field: Field) -> str:
    return field.names[number - field.low] if field.names else str(number)
