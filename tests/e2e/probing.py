"""Asks an endpoint again and again while something else happens, and tells what was lost."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

PAUSE, PATIENCE = 0.25, 5.0
"""Seconds between two requests, and for one answer: a bounded load of four in a second at most."""


@dataclass
class Probe:
    """One endpoint; `asked` grows while the probe runs."""

    name: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    header: str = ""
    """Header of good answers whose values are kept in `seen`."""
    seen: list[str] = field(default_factory=list)
    asked: list[tuple[float, str]] = field(default_factory=list)
    """When each request was sent, and why it failed; nothing where it was answered with 200."""

    @property
    def lost(self) -> list[str]:
        """Why requests failed."""
        return [why for _, why in self.asked if why]

    @property
    def share(self) -> float:
        """Failed requests of all, 0 to 1."""
        return len(self.lost) / max(1, len(self.asked))

    @property
    def longest_gap(self) -> float:
        """The longest time in seconds from one good answer's request to the next one's."""
        good = [at for at, why in self.asked if not why]
        return max((after - at for at, after in pairwise(good)), default=0.0)

    def told(self) -> str:
        """The figures in one line."""
        why = f", the first: {self.lost[0]}" if self.lost else ""
        return (
            f"{self.name}: {len(self.lost)} of {len(self.asked)} requests lost "
            f"({self.share:.2%}), longest gap {self.longest_gap:.1f} s{why}"
        )

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Ask as long as the context lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._ask, args=(over,))
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()

    def _ask(self, over: threading.Event) -> None:
        while not over.wait(PAUSE):
            # an address of the platform's own outputs
            request = urllib.request.Request(self.url, self.body, dict(self.headers))  # noqa: S310
            at, why = time.monotonic(), ""
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                    answer.read()
                    if self.header:
                        self.seen.append(str(answer.headers[self.header]))
            except urllib.error.HTTPError as error:
                with error:
                    why = f"{error.code} {error.read()[:200].decode(errors='replace')}"
            except OSError as error:
                why = f"{type(error).__name__}: {error}"
            self.asked.append((at, why))
