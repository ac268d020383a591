"""Watches what a run of Pulumi waits for, and ends the run when waiting is of no use.

The provider waits ten minutes for a Pod that will never start, and as long for an object that a
finalizer or a webhook holds, and then says that it has waited. The cluster knows the reason within
seconds: it is asked about each resource that an operation is under way for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from mlops_infra.engine.events import Change
from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.kube import Cause, Cluster, Holder, causes, holders_of, restart_stuck_pods
from mlops_infra.progress import Step

LOOK_SECONDS = 1.0
"""Between two looks."""
DELETION_SECONDS = 8.0
"""What is deleted is asked about after that: most objects are gone by then."""
FINALIZER_SECONDS = 30.0
"""A healthy operator may take so long to take its finalizer off."""
NAMESPACE_SECONDS = 120.0
"""Pods of a namespace may take so long to end, and their volumes after them."""
_PATIENCE = {"finalizer": FINALIZER_SECONDS, "namespace": NAMESPACE_SECONDS}
"""Of what may still go by itself; what is not here does not."""
_DELETING = frozenset({"delete", "delete-replaced", "replace"})
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"})


@dataclass(slots=True)
class _Waited:
    """One operation that is under way."""

    change: Change
    began: float
    since: dict[str, float] = field(default_factory=dict)
    """Key of a cause -> the moment at which it was first seen."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why waiting for a resource is of no use."""

    change: Change
    causes: tuple[Cause, ...] = ()
    holders: tuple[Holder, ...] = ()


class Waiting:
    """Follows the operations of one run; used as a context manager, it asks in a thread of its own.

    Args:
        open_cluster: opens the cluster when there is something to ask.
        stop: ends the run politely; called once.
        work: shows what is found.
    """

    def __init__(
        self, open_cluster: Callable[[], Cluster], stop: Callable[[], None], work: Step
    ) -> None:
        self.verdict: Verdict | None = None
        self._open = open_cluster
        self._stop = stop
        self._work = work
        self._under_way: dict[tuple[str, str], _Waited] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        # a second earlier: the server's times have no fractions
        self._started = (datetime.now(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def began(self, change: Change) -> None:
        """An operation has begun."""
        if change.type.startswith("kubernetes:"):
            with self._lock:
                self._under_way[change.urn, change.op] = _Waited(change, time.monotonic())

    def ended(self, urn: str, op: str) -> None:
        """An operation has ended, well or not."""
        with self._lock:
            self._under_way.pop((urn, op), None)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="waiting", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        cluster: Cluster | None = None
        while not self._ended.wait(LOOK_SECONDS):
            with self._lock:
                asked = list(self._under_way.values())
            for each in asked:
                if self._ended.is_set() or time.monotonic() - each.began < LOOK_SECONDS:
                    continue
                try:
                    cluster = cluster or self._open()
                    found = self._look(cluster, each)
                except MlopsError as error:
                    # The provider meets the same cluster; what it says ends the run, or nothing.
                    self._note(str(error))
                    break
                if found is not None:
                    self.verdict = found
                    self._stop()
                    return

    def _look(self, cluster: Cluster, each: _Waited) -> Verdict | None:
        change = each.change
        space, _, name = change.name.rpartition("/")
        if change.op in _DELETING:
            return self._held(cluster, each, space, name)
        if change.kind not in _WORKLOADS or not space:
            return None
        for pod in restart_stuck_pods(cluster, change.kind, space, name, before=self._started):
            self._note(f"starting Pod {space}/{pod} afresh")
        found = causes(cluster, space, kind=change.kind, name=name, since=self._started)
        now = time.monotonic()
        each.since = {cause.key: each.since.get(cause.key, now) for cause in found}
        if found:
            self._note(f"{change.kind} {change.name}: {found[0].message}")
        lasting = [cause for cause in found if now - each.since[cause.key] >= cause.patience]
        return Verdict(change, causes=tuple(lasting)) if lasting else None

    def _held(self, cluster: Cluster, each: _Waited, space: str, name: str) -> Verdict | None:
        if time.monotonic() - each.began < DELETION_SECONDS or not each.change.version:
            return None
        found = [
            holder
            for holder in holders_of(cluster, each.change.version, each.change.kind, name, space)
            if holder.certain
        ]
        if found:
            self._note(f"{each.change.kind} {each.change.name}: held by {found[0].reason}")
        lasting = [each for each in found if each.seconds >= _PATIENCE.get(each.what, 0.0)]
        return Verdict(each.change, holders=tuple(found)) if lasting else None

    def _note(self, text: str) -> None:
        self._work.note(text.splitlines()[0])


def failure(verdict: Verdict, advice: Callable[[Cause], str | None]) -> OperationFailed:
    """The error that a verdict stands for.

    Args:
        verdict: what was found.
        advice: the next step for a cause.
    """
    change = verdict.change
    where = f"{change.kind} {change.name}"
    if verdict.causes:
        cause = verdict.causes[0]
        return OperationFailed(f"{where} is not ready: {cause}", where=where, hint=advice(cause))
    held = "\n".join(f"  {holder}" for holder in verdict.holders)
    actions = "; ".join(dict.fromkeys(holder.action for holder in verdict.holders))
    return OperationFailed(f"{where} cannot be deleted:\n{held}", where=where, hint=actions)
