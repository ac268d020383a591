"""Waiting until an object is ready, or until it is plain that it will not be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mlops_infra.kube.verdict import Trouble, Verdict
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import Object, annotation, namespace_of, title
from mlops_infra.kubeprovider.problems import (
    ApiError,
    NotReadyError,
    ProviderError,
    UnreachableError,
)
from mlops_infra.kubeprovider.readiness import look_for

_TIMEOUT_NOTE = "pulumi.com/timeoutSeconds"
_DEFAULT_SECONDS = {"Pod": 300.0, "PersistentVolumeClaim": 300.0, "CustomResourceDefinition": 60.0}
_OTHER_SECONDS = 600.0
"""The official provider's limits (its README); definitions are served within seconds."""
_AWAY_SECONDS = 20.0
"""How long the API server may be away in the middle of a wait."""

Report = Callable[[str], None]


class Stop:
    """What ends waits early, shared by all of them."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._failed_at: float | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """End every wait now."""
        self._cancelled.set()

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past a cancel."""
        self._cancelled.wait(seconds)

    def note_failure(self) -> None:
        """Remember that some object failed: what depends on it need not be waited for."""
        self._failed_at = self._failed_at or time.monotonic()

    @property
    def since_failure(self) -> float:
        """Seconds since the first failure of this run; less than none where all is well."""
        return -1.0 if self._failed_at is None else time.monotonic() - self._failed_at


@dataclass(frozen=True, slots=True)
class Watch:
    """What a wait needs beside the object."""

    cluster: Cluster
    stop: Stop
    report: Report
    """Takes progress, one short line."""


def pauses() -> Iterator[float]:
    """Seconds between looks: quick at first, since most things are ready within a second."""
    yield from (0.1, 0.2, 0.3, 0.5, 0.8)
    while True:
        yield 1.0


def limit_for(obj: Object, asked: float) -> float:
    """Seconds to wait: customTimeouts, then the annotation, then the kind's default."""
    note = annotation(obj, _TIMEOUT_NOTE)
    if asked:
        return asked
    if note.isdigit():
        return float(note)
    return _DEFAULT_SECONDS.get(str(obj.get("kind")), _OTHER_SECONDS)


def until_ready(watch: Watch, live: Object, asked: float) -> Object:
    """Wait and return the object as it is then.

    Raises:
        NotReadyError: it will not become ready, time is up, or the user stopped the wait.
    """
    try:
        look = look_for(watch.cluster, live)
    except ProviderError as error:
        raise NotReadyError(live, [str(error)]) from error
    if look is None:
        return live
    path = watch.cluster.path_of(live)
    limit = limit_for(live, asked)
    started = time.monotonic()
    since: dict[str, float] = {}
    for pause in pauses():
        verdict = look(live)
        if verdict.ready:
            return live
        trouble = _lasting(verdict, since, watch.stop)
        waited = time.monotonic() - started
        if trouble or waited > limit or watch.stop.cancelled:
            watch.stop.note_failure()
            raise NotReadyError(live, _reasons(watch, live, verdict, trouble, waited))
        watch.report(verdict.message)
        watch.stop.sleep(pause)
        live = _again(watch, path, live)
    raise AssertionError("pauses never end")


def look_once(cluster: Cluster, live: Object) -> Verdict | None:
    """One look without waiting, for refresh; None where existing is enough."""
    look = look_for(cluster, live)
    return look(live) if look else None


def _lasting(verdict: Verdict, since: dict[str, float], stop: Stop) -> Trouble | None:
    now = time.monotonic()
    current = {trouble.key for trouble in verdict.troubles}
    for key in [k for k in since if k not in current]:
        del since[key]
    lasting = [
        trouble
        for trouble in verdict.troubles
        if now - since.setdefault(trouble.key, now) >= trouble.grace
        or stop.since_failure > trouble.after_failure
    ]
    # what is beyond hope tells more than what has merely lasted
    return min(lasting, key=lambda trouble: trouble.grace, default=None)


def _again(watch: Watch, path: str, live: Object) -> Object:
    """Read the object anew; a server that is away for a moment does not end the wait."""
    away = time.monotonic()
    for pause in pauses():
        try:
            found = watch.cluster.client.find(path)
        except UnreachableError:
            if time.monotonic() - away > _AWAY_SECONDS or watch.stop.cancelled:
                raise
            watch.report("the API server does not answer, trying again")
            watch.stop.sleep(pause)
            continue
        if found is None:
            raise NotReadyError(live, [f"{title(live)} was deleted while it was waited for"])
        return found
    raise AssertionError("pauses never end")


def _reasons(
    watch: Watch, live: Object, verdict: Verdict, trouble: Trouble | None, waited: float
) -> list[str]:
    name = title(live)
    if trouble:
        return [f"{name}: {trouble.message}", *_log(watch.cluster, live, trouble)]
    if watch.stop.cancelled:
        return [f"{name}: interrupted while waiting: {verdict.message}"]
    worst = [t.message for t in verdict.troubles[:1]]
    text = "; ".join(dict.fromkeys([verdict.message, *worst]))
    return [f"{name}: not ready after {waited:.0f} s: {text}", *_events(watch.cluster, live)]


def _log(cluster: Cluster, live: Object, trouble: Trouble) -> list[str]:
    if trouble.pod is None:
        return []
    pod, container = trouble.pod
    lines = cluster.last_lines(namespace_of(live), pod, container)
    return ["last log lines:\n" + "\n".join(f"  {line}" for line in lines)] if lines else []


def _events(cluster: Cluster, live: Object) -> list[str]:
    try:
        found = cluster.warnings(live)[:3]
    except ApiError:
        # a user who may not read events still gets the reason
        return []
    return [f"event {event.get('reason')}: {event.get('message')}" for event in found]
