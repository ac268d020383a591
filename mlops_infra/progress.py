"""Progress of long work as one stream of plain events.

The rooms never print. They take a `Sink` and open a `step` on it; the command line draws bars on a
terminal, lines elsewhere and JSON on request. `quiet` is the sink that shows nothing.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["started", "advanced", "noted", "finished"]
Outcome = Literal["done", "unchanged", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one step."""

    kind: Kind
    step: int
    """Number of the step within this process; events of one step share it."""
    title: str
    at: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    total: int | None = None
    """Size of the whole in `unit`; None where nobody knows."""
    done: int | None = None
    unit: str = ""
    """`bytes`, `Pods`, `resources` and so on; empty where nothing is counted."""
    text: str = ""
    outcome: Outcome | None = None
    seconds: float | None = None
    """Duration; only in a finished event."""


Sink = Callable[[Event], None]

_numbers = itertools.count(1)


def quiet(_event: Event) -> None:
    """The sink that shows nothing."""


class Step:
    """A piece of work that is under way; made by `step`."""

    def __init__(self, sink: Sink, title: str, total: int | None, unit: str) -> None:
        self._sink = sink
        self._number = next(_numbers)
        self._started = time.monotonic()
        self.title = title
        self.total = total
        self.unit = unit
        self.done = 0
        self.outcome: Outcome = "done"
        self.detail = ""

    def advance(self, amount: int = 1, *, total: int | None = None) -> None:
        """Say that `amount` more units are done; `total` corrects the size of the whole."""
        self.done += amount
        self.total = total if total is not None else self.total
        self._emit("advanced")

    def note(self, text: str) -> None:
        """Say what is going on right now, in a few words."""
        self._emit("noted", text=text)

    def end(self, outcome: Outcome, detail: str = "") -> None:
        """Set what the closing event will say; the step still ends with its `with` block."""
        self.outcome = outcome
        self.detail = detail

    def _emit(self, kind: Kind, text: str = "") -> None:
        finished = kind == "finished"
        self._sink(
            Event(
                kind=kind,
                step=self._number,
                title=self.title,
                total=self.total,
                done=self.done,
                unit=self.unit,
                text=text,
                outcome=self.outcome if finished else None,
                seconds=time.monotonic() - self._started if finished else None,
            )
        )


@contextmanager
def step(sink: Sink, title: str, *, total: int | None = None, unit: str = "") -> Iterator[Step]:
    """Open a step on `sink`; it closes as `failed` when the block raises."""
    work = Step(sink, title, total, unit)
    work._emit("started")
    try:
        yield work
    except BaseException as error:
        # the error's own first line is enough here: the command line shows the whole of it
        stopped = isinstance(error, KeyboardInterrupt)
        name = "stopped" if stopped else type(error).__name__
        work.end("failed", str(error).partition("\n")[0] or name)
        raise
    finally:
        work._emit("finished", text=work.detail)
