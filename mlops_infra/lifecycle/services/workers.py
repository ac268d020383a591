"""Threads and tasks that must run as long as their process does.

One that ends, for whatever reason, is started again, counted and named in the log. One that does
not stay is a fault: the process's liveness probe asks for faults, and looks itself, so that the
loop that looks is watched too.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

LOOK_SECONDS = 1.0
WINDOW_SECONDS = 60.0
MOST_RESTARTS = 5
"""Within the window; with more of them a worker counts as broken."""
_log = logging.getLogger(__name__)


class Worker(Protocol):
    """Something that runs beside requests."""

    @property
    def name(self) -> str:
        """For the log and the metric."""

    @property
    def alive(self) -> bool:
        """Whether it runs."""

    def start(self) -> None:
        """Run it, for the first time or again."""


class ThreadWorker:
    """A function in a thread of its own."""

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self.name = name
        self._run = run
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Run the function in a new thread."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for its end, for so long."""
        if self._thread is not None:
            self._thread.join(seconds)


class TaskWorker:
    """A coroutine in the running event loop."""

    def __init__(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.name = name
        self._run = run
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the task runs."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Run the coroutine in a new task; within the loop."""
        self._report()
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Cancel the task and wait for its end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _report(self) -> None:
        """Tell why the last one ended: nobody else reads it."""
        task = self._task
        if task is not None and task.done() and not task.cancelled() and task.exception():
            _log.error("%s ended", self.name, exc_info=task.exception())


class Workers:
    """The workers of one process, watched by a task in its event loop."""

    def __init__(
        self,
        *workers: Worker,
        restarted: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.watch = TaskWorker("watch", self._watching)
        self._workers: tuple[Worker, ...] = (*workers, self.watch)
        self._restarted = restarted
        self._clock = clock
        self._restarts: dict[str, deque[float]] = {each.name: deque() for each in self._workers}

    def start(self) -> None:
        """Start them all; within the event loop."""
        for each in self._workers:
            each.start()

    async def stop(self) -> None:
        """Watch no longer: whoever ends from now on stays so."""
        await self.watch.stop()

    def look(self) -> list[str]:
        """Start again what has ended; within the loop. The names of those that do not stay."""
        for each in self._workers:
            if not each.alive:
                self._again(each)
        return [name for name, at in self._restarts.items() if self._recent(at) > MOST_RESTARTS]

    def _again(self, worker: Worker) -> None:
        _log.error("%s has ended; it is started again", worker.name)
        self._restarts[worker.name].append(self._clock())
        self._restarted(worker.name)
        try:
            worker.start()
        except Exception:  # noqa: BLE001 - the next look tries again, and too many of them are a fault
            _log.exception("%s cannot be started", worker.name)

    def _recent(self, at: deque[float]) -> int:
        while at and self._clock() - at[0] > WINDOW_SECONDS:
            at.popleft()
        return len(at)

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()
