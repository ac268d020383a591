"""When a model may be trained again: pure rules over what has happened, the clock given.

A cause becomes an event once. Events wait until the window is open, the cool-down is over and no
other training of the model is under way; then one training answers all that wait.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

Kind = Literal["schedule", "new-data", "metric-drop", "drift", "on-demand"]
URGENCY: tuple[Kind, ...] = ("on-demand", "drift", "metric-drop", "new-data", "schedule")
"""Which of several waiting causes gives the training its name: what a person asked for first."""
_NAME_LENGTH = 52
"""Argo puts its own suffixes behind a workflow's name, and labels hold 63 letters."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time of the week in which training may start."""

    days: frozenset[int]
    """Days on which it opens; 0 is Monday."""
    opens: datetime.time
    closes: datetime.time
    """Not after `opens`: on the next day."""

    def holds(self, local: datetime.datetime) -> bool:
        """Whether it is open at this moment of the zone's clock."""
        clock, day = local.time(), local.weekday()
        if self.opens < self.closes:
            return day in self.days and self.opens <= clock < self.closes
        return (day in self.days and clock >= self.opens) or (
            (day - 1) % 7 in self.days and clock < self.closes
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """What keeps trainings of one model apart."""

    cool_down: datetime.timedelta = datetime.timedelta(hours=1)
    """From the end of a training: one that takes longer must not cause the next by itself."""
    windows: tuple[Window, ...] = ()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Signal:
    """A cause for training that a trigger has seen."""

    trigger: str
    """`<model>/<kind>`."""
    kind: Kind
    key: str
    """Names the occurrence: the same one always has the same key."""
    at: datetime.datetime
    cause: Mapping[str, object]
    """What a person wants to know later; `text` says it in one sentence."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that no training has answered yet."""

    trigger: str
    kind: Kind
    key: str
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a model's earlier trainings."""

    last: datetime.datetime | None = None
    """When the latest training ended, or started where that is all that is known."""
    under_way: str | None = None
    """Name of a workflow that is claimed or runs."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Which event starts a training now, which others it answers, or why none does."""

    fire: Waiting | None
    covered: tuple[Waiting, ...] = ()
    hold: str | None = None


def decide(
    waiting: Sequence[Waiting], policy: Policy, past: Past, now: datetime.datetime
) -> Decision:
    """Choose at most one event to start a training for.

    On demand stands above windows and cool-down: a person has weighed them. Nothing stands above a
    training that is under way.
    """
    if not waiting:
        return Decision(None)
    ordered = sorted(waiting, key=lambda w: (URGENCY.index(w.kind), w.at, w.key))
    if past.under_way is not None:
        return Decision(None, hold=f"{past.under_way} is running")
    chosen = ordered[0]
    reason = None if chosen.kind == "on-demand" else held_back(policy, past, now)
    if reason is not None:
        return Decision(None, hold=reason)
    return Decision(chosen, tuple(ordered[1:]))


def held_back(policy: Policy, past: Past, now: datetime.datetime) -> str | None:
    """Why a training may not start now; None where it may."""
    if past.last is not None and now < past.last + policy.cool_down:
        until = (past.last + policy.cool_down).astimezone(policy.zone)
        return f"cool-down until {until.isoformat(timespec='seconds')}"
    local = now.astimezone(policy.zone)
    if policy.windows and not any(window.holds(local) for window in policy.windows):
        return "outside the training windows"
    return None


def workflow_name(tenant: str, model: str, trigger: str, key: str) -> str:
    """The name of the training that answers an event: a second start meets the first one there."""
    digest = hashlib.sha256("\0".join((tenant, trigger, key)).encode()).hexdigest()[:12]
    readable = "".join(c if c.isalnum() and c.isascii() else "-" for c in model.lower()).strip("-")
    head = f"retrain-{readable or 'model'}"[: _NAME_LENGTH - len(digest) - 1].rstrip("-")
    return f"{head}-{digest}"
