"""Cron expressions by the rules of Kubernetes: minute, hour, day of month, month, day of week.

Kubernetes and Argo read them with robfig/cron v3. What that parser refuses is refused here, and
what passes means the same: one text says the same to a CronJob and to the trigger controller.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mlops_infra.config.language.cron_field import CronField, expanded
from mlops_infra.config.language.invalid import InvalidValueError

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EVERY = ("*", "?")
_HORIZON_DAYS = 366 * 4 + 1
"""The rarest time there is: the 29th of February."""
_EXAMPLE = "for example 0 3 * * mon"


FIELDS = (
    CronField("minute", 0, 59, every=_EVERY),
    CronField("hour", 0, 23, every=_EVERY),
    CronField("day of month", 1, 31, every=_EVERY),
    CronField("month", 1, 12, MONTHS, every=_EVERY),
    CronField("day of week", 0, 6, DAYS, every=_EVERY),
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


def _values(part: str, field: CronField) -> frozenset[int]:
    found: set[int] = set()
    for item in part.lower().split(","):
        found.update(expanded(item, field))
    return frozenset(found)
