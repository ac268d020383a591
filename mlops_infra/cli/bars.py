"""Progress on a terminal: one live area at its foot, finished steps above it."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mlops_infra.cli.events import amount, ending
from mlops_infra.progress import Event

_STYLES = {"done": "green", "unchanged": "dim green", "failed": "bold red", "skipped": "yellow"}
_NOTE_WIDTH = 40


class _Remaining(ProgressColumn):
    """The time left where the size of the whole is known, else the time so far."""

    def __init__(self) -> None:
        super().__init__()
        self._left, self._so_far = TimeRemainingColumn(compact=True), TimeElapsedColumn()

    def render(self, task: Task) -> Text:
        known = task.total is not None and task.time_remaining is not None
        return Text("left ") + self._left.render(task) if known else self._so_far.render(task)


class Bars:
    """Draws parallel steps in one live area that is there only while a step runs."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._tasks: dict[int, TaskID] = {}
        self._progress: Progress | None = None

    def show(self, event: Event) -> None:
        """Move the step's bar; a finished step becomes a line above the live area."""
        match event.kind:
            case "started":
                self._start(event)
            case "finished":
                self._finish(event)
            case "advanced":
                self._move(event, event.text or amount(event))
            case "noted":
                self._move(event, event.text)

    def close(self) -> None:
        """Take the live area off the terminal."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._tasks.clear()

    def _live(self) -> Progress:
        if self._progress is None:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                _Remaining(),
                TextColumn("{task.fields[note]}", style="dim", markup=False),
                console=self._console,
                transient=True,
            )
            self._progress.start()
        return self._progress

    def _start(self, event: Event) -> None:
        self._tasks[event.step] = self._live().add_task(event.title, total=event.total, note="")

    def _move(self, event: Event, note: str) -> None:
        task = self._tasks.get(event.step)
        if task is not None:
            short = note if len(note) <= _NOTE_WIDTH else f"{note[: _NOTE_WIDTH - 1]}…"
            self._live().update(task, completed=event.done or 0, total=event.total, note=short)

    def _finish(self, event: Event) -> None:
        task = self._tasks.pop(event.step, None)
        if task is not None:
            self._live().remove_task(task)
        style = _STYLES[event.outcome or "done"]
        self._console.print(Text(ending(event), style=style))
        if not self._tasks:
            self.close()
