"""Steps that are tried one after the other, each with its time; a failure does not end them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mlops_infra.errors import MlopsError
from mlops_infra.progress import Outcome, Sink, step

_S = TypeVar("_S")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step that had nothing to do, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step went."""

    title: str
    outcome: Outcome
    seconds: float
    detail: str
    error: MlopsError | None = None


@dataclass(frozen=True, slots=True)
class Check(Generic[_S]):
    """One step: does its work on the subject and returns what to tell; raises MlopsError."""

    title: str
    work: Callable[[_S], str | Skipped]
    needs: tuple[str, ...] = ()
    """Titles of steps without which this one makes no sense."""


def run(
    checks: Sequence[Check[_S]], subject: _S, sink: Sink, so_far: dict[str, StepResult]
) -> None:
    """Try every check; what needs a failed or skipped one is skipped and says so.

    Args:
        checks: in their order.
        subject: what they work on.
        sink: progress.
        so_far: results by title, of earlier checks too; each new one is added.
    """
    for check in checks:
        so_far[check.title] = _attempt(check, subject, so_far, sink)


def _attempt(
    check: Check[_S], subject: _S, so_far: dict[str, StepResult], sink: Sink
) -> StepResult:
    broken = [name for name in check.needs if so_far[name].outcome in ("failed", "skipped")]
    started = time.monotonic()
    outcome: Outcome = "done"
    error: MlopsError | None = None
    with step(sink, check.title) as shown:
        if broken:
            outcome, detail = "skipped", f"needs: {broken[0]}"
        else:
            try:
                told = check.work(subject)
                if isinstance(told, Skipped):
                    outcome, detail = "skipped", told.why
                else:
                    detail = told
            except MlopsError as raised:
                outcome, detail, error = "failed", raised.what, raised
        shown.end(outcome, detail)
    return StepResult(check.title, outcome, time.monotonic() - started, detail, error)
