"""How many transfers one registry gets at a time: one more while that helps, half after trouble.

Additive increase, multiplicative decrease, as TCP does it (RFC 5681); without a lock: the caller
holds one.
"""

from __future__ import annotations

START = 4
ENOUGH = 40e6
"""Bytes per second. A connection that brings so much is held up by this machine, not by its way:
more of them only take the processor from each other (measured on two cores: 4 are best there)."""
MAX_PAUSE_SECONDS = 300.0
"""A `Retry-After` beyond this is cut: a person would rather see the error."""


class Limiter:
    """The limit of one host."""

    def __init__(self, most: int, *, start: int = START) -> None:
        self.most = most
        self.limit = min(start, most)
        self.active = 0
        self.paused_until = 0.0
        """On the clock of `time.monotonic`."""
        self._well = 0

    def free(self, now: float, *, small: bool) -> bool:
        """Whether one more may start; a small one (a manifest) gets a slot of its own."""
        return now >= self.paused_until and self.active < self.limit + (1 if small else 0)

    def went_well(self, rate: float = 0.0) -> None:
        """A transfer was finished at `rate` bytes per second; after a whole round of slow ones one
        more is let in."""
        if rate >= ENOUGH:
            return
        self._well += 1
        if self._well >= self.limit:
            self._well = 0
            self.limit = min(self.most, self.limit + 1)

    def trouble(self, now: float, pause: float) -> None:
        """Too many requests, a failing server or a lost connection: wait `pause` seconds."""
        self._well = 0
        self.limit = max(1, self.limit // 2)
        self.paused_until = max(self.paused_until, now + min(pause, MAX_PAUSE_SECONDS))
