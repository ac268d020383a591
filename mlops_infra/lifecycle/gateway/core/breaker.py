"""Stops asking a server that does not answer, and tries again after a while."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
"""In a row; then the circuit opens."""
REST_SECONDS = 5.0


class Breaker:
    """The circuit of one server: closed, open, or half open with one request on trial."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0
        self._trial = False

    @property
    def open(self) -> bool:
        """Whether requests are refused right now."""
        return self._failures >= FAILURES and (self._trial or self._clock() < self._open_until)

    @property
    def opens_next(self) -> bool:
        """Whether one more failure opens the circuit, or keeps it open."""
        return self._failures >= FAILURES - 1

    def admit(self) -> bool:
        """Whether a request may go; after the rest one goes on trial."""
        if self._failures < FAILURES:
            return True
        if self.open:
            return False
        self._trial = True
        return True

    def succeeded(self) -> None:
        """The server answered."""
        self._failures = 0
        self._trial = False

    def failed(self) -> None:
        """The server gave no answer, or one of its own faults."""
        self._failures += 1
        self._trial = False
        self._open_until = self._clock() + REST_SECONDS

    def forgotten(self) -> None:
        """The request ended without a verdict: its client went away."""
        self._trial = False
