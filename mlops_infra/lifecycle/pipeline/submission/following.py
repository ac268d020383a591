"""Follows a run in a cluster to its end, whatever engine runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step

POLL_SECONDS = 0.5
LAST_LINES = 40
"""Of the log of a step that failed."""
ENDED = ("Succeeded", "Failed", "Error")


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How one step of a run went."""

    name: str
    phase: str
    message: str
    node: str
    seconds: float | None = None
    exit_code: int | None = None
    """Of its last try."""
    memory: str | None = None
    """The most that it may use, as a quantity of Kubernetes."""
    time_limit: int | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run went."""

    run: str
    namespace: str
    phase: str
    message: str
    steps: tuple[StepEnd, ...]

    @property
    def good(self) -> bool:
        """Whether all steps succeeded."""
        return self.phase == "Succeeded"

    @property
    def failed(self) -> StepEnd | None:
        """The first step that failed."""
        return next((each for each in self.steps if each.phase in ("Failed", "Error")), None)


def follow(
    read: Callable[[], RunEnd],
    run: str,
    sink: Sink,
    *,
    timeout: float,
    late: tuple[str, str],
    poll: float = POLL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RunEnd:
    """Follow a run to its end.

    Args:
        read: the run as it is now.
        run: its name.
        sink: one step of progress, noting what runs now.
        timeout: seconds.
        late: where it is, and how to look at it, for who has waited too long.
        poll: seconds between two looks.
        clock: seconds that only grow.
        sleep: waits for seconds.

    Raises:
        OperationFailed: the cluster does not answer, or the time is over; the run goes on.
    """
    until = clock() + timeout
    with step(sink, f"Running {run}", unit="steps") as shown:
        told = ""
        while True:
            now = read()
            done = sum(each.phase in (*ENDED, "Omitted", "Skipped") for each in now.steps)
            if done != shown.done:
                shown.advance(done - shown.done, total=len(now.steps))
            running = ", ".join(_told(e) for e in now.steps if e.phase in ("Running", "Pending"))
            text = running or now.message or now.phase
            if text and text != told:
                shown.note(text)
                told = text
            if now.phase in ENDED:
                shown.end("done" if now.good else "failed", now.message or now.phase)
                return now
            if clock() > until:
                where, look = late
                raise OperationFailed(
                    f"{run} has not ended within {timeout:.0f} s: {text or 'it was not started'}",
                    where=where,
                    hint=f"it is still running: {look}",
                )
            sleep(poll)


def _told(step: StepEnd) -> str:
    """A step that runs; what holds it up where it waits, an image for example."""
    return f"{step.name} ({step.message})" if step.message else step.name
