"""Who does what next: waiting jobs by host, and how many each host is given at a time.

Nothing here touches network or disk. Every method is called with one lock held by the caller.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

from mlops_infra.transport import HttpError
from mlops_infra.transport.retrying import judge
from offline_bundle.fetch.job import Job, Queue
from offline_bundle.fetch.limiter import Limiter
from offline_bundle.registry import DigestMismatch

_MISMATCHES = 2
"""Wrong bytes may be an accident once."""
_GONE = (401, 403, 404, 410)


class Board:
    """All jobs that wait or are under way."""

    def __init__(self, most: Callable[[str], int]) -> None:
        self._most = most
        self._queues: dict[str, Queue] = {}
        self.limiters: dict[str, Limiter] = {}
        self.active = 0

    @property
    def empty(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self.active and not any(self._queues.values())

    def add(self, job: Job) -> None:
        """Let a job wait for a slot at its host."""
        host = job.place.host
        if host not in self._queues:
            self._queues[host] = Queue()
            self.limiters[host] = Limiter(self._most(host))
        self._queues[host].add(job)

    def take(self, now: float) -> Job | None:
        """The job to start now; None where none may."""
        for host, queue in self._queues.items():
            limiter = self.limiters[host]
            job = queue.take(limiter, now)
            if job is not None:
                limiter.active += 1
                self.active += 1
                job.before, job.began = job.counted, now
                return job
        return None

    def patience(self, now: float) -> float:
        """Seconds until a job may start that may not now; at most 5."""
        moments = [
            max(queue.waiting_until(), self.limiters[host].paused_until)
            for host, queue in self._queues.items()
            if queue
        ]
        return max(0.01, min([each - now for each in moments if each > now] + [5.0]))

    def done(self, job: Job) -> None:
        """A job has succeeded."""
        self._leave(job)
        job.pending = False
        seconds = time.monotonic() - job.began
        self.limiters[job.place.host].went_well((job.counted - job.before) / max(seconds, 1e-6))

    def failed(self, job: Job, error: Exception) -> bool:
        """A job has failed; True where it waits again, False where `error` is the end."""
        self._leave(job)
        job.attempt = 1 if job.counted > job.before else job.attempt + 1
        job.failures += 1
        if isinstance(error, DigestMismatch):
            job.mismatches += 1
            return job.mismatches < _MISMATCHES and self._again(job)
        if isinstance(error, HttpError) and error.status in _GONE and len(job.places) > 1:
            job.places.pop(0)  # another repository may have it, or may let us in
            return self._again(job)
        now = time.monotonic()
        verdict = judge(error, job.attempt, job.failures, datetime.datetime.now(datetime.UTC))
        limiter = self.limiters[job.place.host]
        if verdict.again:
            # the host asks for peace in so many words, or this connection alone was lost
            asked = isinstance(error, HttpError) and error.retry_after is not None
            limiter.trouble(now, verdict.pause if asked else 0.0)
            job.not_before = now + verdict.pause
            return self._again(job)
        return False

    def _again(self, job: Job) -> bool:
        self.add(job)
        return True

    def _leave(self, job: Job) -> None:
        self.limiters[job.place.host].active -= 1
        self.active -= 1
