"""Waiting for AWS to do what it was asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from mlops_infra.progress import Step

PATIENCE = 900.0
"""Seconds. A crawler or a job that is told to stop may take ten minutes."""
_FIRST, _LONGEST = 0.2, 10.0


def wait(
    pending: Callable[[], Collection[str]],
    work: Step | None = None,
    *,
    patience: float = PATIENCE,
) -> tuple[str, ...]:
    """Ask until nothing is pending any more; returns what still is when patience ends."""
    ends, pause = time.monotonic() + patience, _FIRST
    while left := tuple(pending()):
        if time.monotonic() > ends:
            return left
        if work is not None:
            work.note("waiting for " + ", ".join(left[:5]))
        time.sleep(min(pause, max(ends - time.monotonic(), 0)))
        pause = min(pause * 1.5, _LONGEST)
    return ()
