"""Turns what was seen of the world into signals; pure, one function for each kind of cause.

Each keeps a watermark, so that what was answered once is not seen again.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from mlops_infra.config.language.cron import Cron
from mlops_infra.lifecycle.triggers.rules import Signal

_LISTED = 5
"""Keys of objects that a cause names."""
_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trigger makes of what it saw: perhaps a signal, and how far it has looked now."""

    signal: Signal | None
    watermark: dict[str, Any] | None
    """To be stored together with the signal; None where it stays as it was."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a bucket."""

    key: str
    etag: str
    modified: datetime.datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a metric and what it was measured on."""

    value: float
    of: str
    """Names the measurement, for example an MLflow run: it can fire once."""
    baseline: float | None = None
    """The value when the champion was trained."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a metric counts as worse."""

    metric: str
    below: float | None = None
    above: float | None = None
    drop: float | None = None


def schedule(
    model: str,
    cron: Cron,
    zone: ZoneInfo,
    watermark: Mapping[str, Any] | None,
    now: datetime.datetime,
) -> Seen:
    """The latest time of the schedule, unless it was seen before; the first look only looks."""
    slot = cron.latest(now, zone)
    text = slot.isoformat() if slot else ""
    if watermark is None:
        return Seen(None, {"slot": text})
    if slot is None or text <= str(watermark["slot"]):
        return Seen(None, None)
    cause = {"text": f"schedule {cron.text}, due {text}", "slot": text}
    return Seen(Signal(f"{model}/schedule", "schedule", text, slot, cause), {"slot": text})


def new_data(
    model: str,
    objects: Sequence[Listed],
    watermark: Mapping[str, Any] | None,
    now: datetime.datetime,
    *,
    settle: datetime.timedelta,
    min_objects: int = 1,
) -> Seen:
    """Objects that are new or changed, once nothing has been written for `settle`.

    Deleted objects are forgotten without a signal: less data is no reason to train.
    """
    held = {each.key: each.etag for each in objects}
    if watermark is None:
        return Seen(None, {"objects": held})
    before: Mapping[str, str] = watermark["objects"]
    fresh = sorted(key for key, etag in held.items() if before.get(key) != etag)
    if not fresh:
        gone = set(before) - set(held)
        return Seen(None, {"objects": held} if gone else None)
    newest = max(each.modified for each in objects if each.key in set(fresh))
    if len(fresh) < min_objects or now - newest < settle:
        return Seen(None, None)
    key = _digest({name: held[name] for name in fresh})
    shown = ", ".join(fresh[:_LISTED]) + (" …" if len(fresh) > _LISTED else "")
    plural = "s" if len(fresh) > 1 else ""
    cause = {"text": f"{len(fresh)} new object{plural}: {shown}", "objects": fresh[:_LISTED]}
    return Seen(Signal(f"{model}/new-data", "new-data", key, now, cause), {"objects": held})


def metric_drop(
    model: str,
    bounds: Bounds,
    reading: Reading | None,
    watermark: Mapping[str, Any] | None,
    now: datetime.datetime,
) -> Seen:
    """A reading beyond its bounds; the same measurement counts once."""
    if reading is None or (watermark is not None and watermark.get("of") == reading.of):
        return Seen(None, None)
    worse = _worse(bounds, reading)
    if worse is None:
        return Seen(None, None)
    cause = {
        "text": f"{bounds.metric} is {reading.value:g}: {worse}",
        "metric": bounds.metric,
        "value": reading.value,
        "of": reading.of,
    }
    signal = Signal(f"{model}/metric-drop", "metric-drop", reading.of, now, cause)
    return Seen(signal, {"of": reading.of})


def drift(
    model: str,
    result: Mapping[str, Any] | None,
    watermark: Mapping[str, Any] | None,
) -> Seen:
    """The latest result of the drift job, where it found drift."""
    if result is None or (watermark is not None and watermark.get("id") == result["id"]):
        return Seen(None, None)
    seen = {"id": result["id"]}
    if not result["drifted"]:
        return Seen(None, seen)
    cause = {
        "text": f"{result['share']:.0%} of the columns of version {result['version']} have drifted",
        "result": result["id"],
        "columns": list(result["columns"]),
    }
    return Seen(Signal(f"{model}/drift", "drift", result["id"], result["at"], cause), seen)


def alert(model: str, body: Mapping[str, Any], now: datetime.datetime) -> Signal:
    """One alert of Alertmanager's webhook; sent again, it is the same event."""
    labels = dict(body.get("labels") or {})
    began = str(body.get("startsAt") or "")
    fingerprint = str(body.get("fingerprint") or _digest(labels))
    summary = (body.get("annotations") or {}).get("summary") or labels.get("alertname", "alert")
    cause = {"text": f"alert: {summary}", "labels": labels, "startsAt": began}
    return Signal(f"{model}/drift", "drift", f"alert:{fingerprint}:{began}", now, cause)


def on_demand(model: str, request: str, reason: str, who: str, now: datetime.datetime) -> Signal:
    """A person, or a program, asks for it."""
    cause = {"text": reason or "requested manually", "by": who}
    return Signal(f"{model}/on-demand", "on-demand", request, now, cause)


def _worse(bounds: Bounds, reading: Reading) -> str | None:
    if bounds.below is not None and reading.value < bounds.below:
        return f"below {bounds.below:g}"
    if bounds.above is not None and reading.value > bounds.above:
        return f"above {bounds.above:g}"
    if bounds.drop is not None and reading.baseline is not None:
        lost = reading.baseline - reading.value
        if lost > bounds.drop:
            return f"{lost:g} less than the {reading.baseline:g} of its training"
    return None


def _digest(value: Mapping[str, Any]) -> str:
    text = json.dumps(dict(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]
