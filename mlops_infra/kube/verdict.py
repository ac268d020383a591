"""What a look at an object tells about its readiness."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that keeps an object from becoming ready."""

    key: str
    """The same trouble has the same key in every look."""
    message: str
    grace: float
    """Seconds that it may last before the wait is given up; such things sometimes heal."""
    pod: tuple[str, str] | None = None
    """Pod and container whose last log lines tell more."""
    after_failure: float = math.inf
    """Seconds that it may last after another object of the run has failed, which explains it."""
    reason: str = ""
    """In Kubernetes' word where there is one: `ImagePullBackOff`, `Unschedulable`."""
    subject: tuple[str, str] = ("", "")
    """Pod and container in trouble; the container may be empty, both are for a workload itself."""
    detail: str = ""
    """`message` without the names of Pod and container."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ready, or not yet and why."""

    ready: bool
    message: str = ""
    """What is still awaited, for progress and for a time-out."""
    troubles: tuple[Trouble, ...] = field(default=())


READY = Verdict(ready=True)


def waiting(message: str, *troubles: Trouble) -> Verdict:
    """Not ready yet."""
    return Verdict(ready=False, message=message, troubles=troubles)


def failed(message: str) -> Verdict:
    """Will not become ready by waiting."""
    return waiting(message, Trouble(message, message, 0.0))
