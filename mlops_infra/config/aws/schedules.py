"""Schedules of AWS: `cron(…)` with six fields and `rate(…)`, by the rules of their services.

EventBridge says which values a field takes. A range that ends before it begins and names in lower
case are not documented to work, so they are refused: the documented spelling says the same.
"""

from __future__ import annotations

import calendar
import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from mlops_infra.config.language.cron_field import CronField, expanded
from mlops_infra.config.language.invalid import InvalidValueError

_EXAMPLE = "for example cron(0 2 * * ? *)"
_UNITS = ("minute", "hour", "day")
_RATE = re.compile(r"rate\(([0-9]+) ([a-z]+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_GLUE_MINUTES = 5
"""Glue: cron expressions that lead to rates faster than 5 minutes are not supported."""


_FIELDS = (
    CronField("minute", 0, 59),
    CronField("hour", 0, 23),
    CronField("day of month", 1, 31, special=r"L|LW|([1-9]|[12][0-9]|3[01])W"),
    CronField("month", 1, 12, _MONTHS),
    CronField(
        "day of week", 1, 7, _DAYS, special=r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"
    ),
    CronField("year", 1970, 2199),
)


class AwsCron(NamedTuple):
    """The values of the fields; None where the field says something that is no number."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]


def parse_cron(text: str) -> AwsCron:
    """Read `cron(0 2 * * ? *)`.

    Raises:
        InvalidValueError: AWS would refuse it, or it never comes.
    """
    parts = text.removeprefix("cron(").removesuffix(")").split()
    if len(parts) != len(_FIELDS):
        message = f"has {len(parts)} fields, AWS's cron has {len(_FIELDS)}"
        names = " ".join(field.name.replace(" ", "-") for field in _FIELDS)
        raise InvalidValueError(message, f"cron({names})")
    if [parts[2], parts[4]].count("?") != 1:
        message = "exactly one of day of month and day of week must be '?'"
        raise InvalidValueError(message, _EXAMPLE)
    minutes, hours, days, months, weekdays, years = (
        _values(part, field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    assert minutes is not None and hours is not None  # noqa: S101, PT018 - they have no `special`
    assert months is not None and years is not None  # noqa: S101, PT018
    found = AwsCron(minutes, hours, days, months, weekdays, years)
    if not _comes(found):
        raise InvalidValueError(f"'{text}' never comes: no month has that day", _EXAMPLE)
    return found


def _comes(cron: AwsCron) -> bool:
    if cron.days is None:
        return True
    first = min(cron.days)
    return any(
        first <= calendar.monthrange(year, month)[1] for year in cron.years for month in cron.months
    )


def _values(part: str, field: CronField) -> frozenset[int] | None:
    if field.special is not None and part == "?":
        return None
    found: set[int] = set()
    special = False
    for item in part.split(","):
        if field.special is not None and re.fullmatch(field.special, item):
            if "#" in item and "," in part:
                message = f"{field.name} '{part}': '#' stands alone, not in a list"
                raise InvalidValueError(message)
            special = True
        else:
            found.update(expanded(item, field))
    return None if special else frozenset(found)


def _rate(text: str) -> None:
    match = _RATE.fullmatch(text)
    if match is None:
        raise InvalidValueError(f"'{text}' is not a rate", "for example rate(1 day)")
    number, unit = int(match[1]), match[2]
    units = [unit if number == 1 else f"{unit}s" for unit in _UNITS]
    if unit not in units:
        raise InvalidValueError(f"'{unit}' does not match {number}", f"one of {', '.join(units)}")


def _schedule(text: str) -> str:
    if text.startswith("rate("):
        _rate(text)
    else:
        parse_cron(text)
    return text


def _cron_alone(text: str) -> str:
    if text.startswith("rate("):
        raise InvalidValueError("only accepts cron(…)", _EXAMPLE)
    parse_cron(text)
    return text


def _glue(text: str) -> str:
    _cron_alone(text)
    cron = parse_cron(text)
    minutes = sorted(cron.minutes)
    # the next hour's first minute counts where hours follow each other
    around = [minutes[0] + 60] if any((hour + 1) % 24 in cron.hours for hour in cron.hours) else []
    gaps = [later - earlier for earlier, later in zip(minutes, minutes[1:] + around, strict=False)]
    if any(gap < _GLUE_MINUTES for gap in gaps):
        message = f"'{text}' comes more often than every {_GLUE_MINUTES} minutes, Glue's limit"
        raise InvalidValueError(message, "for example cron(0/5 * * * ? *)")
    return text


_PATTERN = r"^(cron\([^()]{11,100}\)|rate\([1-9][0-9]* [a-z]+\))$"
_EXAMPLES = ["cron(0 2 * * ? *)"]

Schedule = Annotated[
    str,
    Field(pattern=_PATTERN, examples=_EXAMPLES, json_schema_extra={"format": "aws-schedule"}),
    AfterValidator(_schedule),
]
"""AWS's own form: `cron(0 2 * * ? *)` or `rate(1 day)`; UTC."""

CronAlone = Annotated[
    str,
    Field(pattern=_PATTERN, examples=_EXAMPLES, json_schema_extra={"format": "aws-schedule"}),
    AfterValidator(_cron_alone),
]
"""Monitors take `cron(…)`, never `rate(…)`."""

GlueSchedule = Annotated[
    str,
    Field(pattern=_PATTERN, examples=_EXAMPLES, json_schema_extra={"format": "aws-schedule"}),
    AfterValidator(_glue),
]
"""Crawlers and jobs of Glue: `cron(…)`, at most every five minutes."""
