"""One thing to fetch, and the order in which things are fetched. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from offline_bundle.fetch.limiter import Limiter

SMALL = 256 << 10
"""Up to this size a blob counts as small: it never waits behind large ones."""


@dataclass(frozen=True, slots=True)
class Place:
    """A repository that holds a blob."""

    host: str
    path: str


@dataclass(slots=True)
class Job:
    """A manifest or a blob; the same digest is one job whoever asks for it."""

    digest: str
    size: int
    manifest: bool
    places: list[Place]
    image: str
    """Reference of the first image that asks for it, for messages."""
    attempt: int = 0
    """Failures in a row without progress."""
    failures: int = 0
    mismatches: int = 0
    not_before: float = 0.0
    """On the clock of `time.monotonic`."""
    counted: int = 0
    """Bytes of it that the progress knows."""
    before: int = 0
    """The same when its latest attempt began."""
    began: float = 0.0
    """When that was, on the clock of `time.monotonic`."""
    pending: bool = True
    whole_only: bool = False
    """Its registry's ranges are not to be trusted."""

    @property
    def small(self) -> bool:
        """Whether it may use the slot that is kept for manifests."""
        return self.manifest or self.size <= SMALL

    @property
    def place(self) -> Place:
        """Where it is asked for next."""
        return self.places[0]


@dataclass(slots=True)
class Queue:
    """Waiting jobs of one host: manifests first, for they tell what else there is; then the
    largest, so that no long transfer is left for the end."""

    _heap: list[tuple[bool, int, str, Job]] = field(default_factory=list)

    def add(self, job: Job) -> None:
        """Put a job in."""
        heapq.heappush(self._heap, (not job.manifest, -job.size, job.digest, job))

    def __len__(self) -> int:
        return len(self._heap)

    def take(self, limiter: Limiter, now: float) -> Job | None:
        """The next job for which `limiter` has a slot; None where there is none."""
        if limiter.free(now, small=False):
            return self._pop(lambda job: job.not_before <= now)
        if limiter.free(now, small=True):
            return self._pop(lambda job: job.small and job.not_before <= now)
        return None

    def waiting_until(self) -> float:
        """The earliest moment at which a job may start."""
        return min((entry[3].not_before for entry in self._heap), default=float("inf"))

    def _pop(self, fits: Callable[[Job], bool]) -> Job | None:
        if self._heap and fits(self._heap[0][3]):
            return heapq.heappop(self._heap)[3]
        found = [(entry[:3], i) for i, entry in enumerate(self._heap) if fits(entry[3])]
        if not found:
            return None
        index = min(found)[1]
        job = self._heap[index][3]
        self._heap[index] = self._heap[-1]
        self._heap.pop()
        heapq.heapify(self._heap)
        return job
