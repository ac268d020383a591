"""Types of every key that takes a time of Kubernetes: schedules and the zones of their clocks."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from mlops_infra.config.language import cron
from mlops_infra.config.language.explain import nearest
from mlops_infra.config.language.invalid import InvalidValueError

_NO_ZONES = ("localtime", "Factory")
"""Names that some machines have beside those of the IANA database."""


def _schedule(text: str) -> str:
    cron.parse(text)
    return text


def zone(name: str) -> ZoneInfo:
    """A time zone of the IANA database.

    Raises:
        InvalidValueError: there is none of that name.
    """
    # not just opened: a file system without upper and lower case opens `asia/seoul` as well
    known = {"UTC"} if name == "UTC" else available_timezones().difference(_NO_ZONES)
    if name not in known:
        close = nearest(name, known)
        advice = f"did you mean '{close}'?" if close else "for example Asia/Seoul"
        raise InvalidValueError(f"no such time zone: '{name}'", advice)
    return ZoneInfo(name)


def _zone(name: str) -> str:
    return zone(name).key


CronSchedule = Annotated[
    str,
    Field(
        pattern=r"^[0-9*?/,-]+( [0-9A-Za-z*?/,-]+){4}$",
        max_length=128,
        examples=["0 3 * * mon"],
        json_schema_extra={"format": "cron"},
    ),
    AfterValidator(_schedule),
]
"""Minute, hour, day of month, month, day of week (0 is Sunday), as Kubernetes reads them."""

TimeZone = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
        max_length=64,
        examples=["Asia/Seoul"],
        json_schema_extra={"format": "time-zone"},
    ),
    AfterValidator(_zone),
]
"""A name of the IANA database, for example `Asia/Seoul`."""
