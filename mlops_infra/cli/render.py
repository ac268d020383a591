"""Draws progress on stderr: bars on a terminal, lines elsewhere, JSON lines on request."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

import click

from mlops_infra.cli.events import line
from mlops_infra.progress import Event, Sink

if TYPE_CHECKING:
    from mlops_infra.cli.bars import Bars

SECONDS_BETWEEN_LINES = 1.0
"""Without a terminal, a step says no more than one line in this time while it runs."""


class Drawing(Protocol):
    """One way to show events; called by one thread at a time."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Give the terminal back."""


def sink_for(as_json: bool) -> Sink:
    """The sink for this run; it closes itself when the command ends."""
    drawing: Drawing
    if as_json:
        drawing = JsonLines()
    elif sys.stderr.isatty():
        drawing = _bars()
    else:
        drawing = Lines()
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(drawing.close)
    lock = threading.Lock()

    def sink(event: Event) -> None:
        with lock:
            drawing.show(event)

    return sink


def _bars() -> Bars:
    # rich takes 0.1 s to import: only where it is seen
    from mlops_infra.cli.bars import Bars

    return Bars()


class JsonLines:
    """Every event as one JSON object on a line."""

    def show(self, event: Event) -> None:
        """Write the fields that say something."""
        fields = {k: v for k, v in asdict(event).items() if v is not None and v != ""}
        click.echo(json.dumps(fields, ensure_ascii=False), err=True)

    def close(self) -> None:
        """Nothing is held."""


class Lines:
    """A line when a step starts and ends, and now and then in between."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}

    def show(self, event: Event) -> None:
        """Write a line unless the step has just said something."""
        last = self._last.get(event.step)
        edge = event.kind in ("started", "finished")
        if not edge and last is not None and event.at - last < SECONDS_BETWEEN_LINES:
            return
        self._last[event.step] = event.at
        click.echo(line(event), err=True)

    def close(self) -> None:
        """Nothing is held."""
