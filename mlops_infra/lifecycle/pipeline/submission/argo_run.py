"""Sends a run to Argo, follows it, and says why it failed with the last lines of its Pod."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step

POLL_SECONDS = 0.5
LAST_LINES = 40
ENDED = ("Succeeded", "Failed", "Error")


class Workflows(Protocol):
    """The part of a cluster that is needed here; all raise `OperationFailed`."""

    def platform(self, namespace: str) -> Mapping[str, str]:
        """What the tenant's Pods are told of the platform; empty where it tells nothing."""

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Create a Workflow."""

    def keep_code(self, namespace: str, name: str, file: str, text: str) -> None:
        """Store the person's code as an immutable ConfigMap, once."""

    def read(self, namespace: str, name: str) -> Mapping[str, Any]:
        """The Workflow as it is now."""

    def log(self, namespace: str, workflow: str, node: str, lines: int) -> str:
        """The last lines of a node's main container; empty where it never ran."""


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How one step of a run went."""

    name: str
    phase: str
    message: str
    node: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run went."""

    run: str
    namespace: str
    phase: str
    message: str
    steps: tuple[StepEnd, ...]

    @property
    def good(self) -> bool:
        """Whether all steps succeeded."""
        return self.phase == "Succeeded"

    @property
    def failed(self) -> StepEnd | None:
        """The first step that failed."""
        return next((each for each in self.steps if each.phase in ("Failed", "Error")), None)


def wait(
    workflows: Workflows,
    namespace: str,
    run: str,
    sink: Sink,
    *,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RunEnd:
    """Follow a run to its end.

    Args:
        workflows: the cluster.
        namespace: of the tenant.
        run: its name.
        sink: one step of progress, noting what runs now.
        timeout: seconds.
        clock: seconds that only grow.
        sleep: waits for seconds.

    Raises:
        OperationFailed: the cluster does not answer, or the time is over; the run goes on.
    """
    until = clock() + timeout
    with step(sink, f"Running {run}", unit="steps") as shown:
        told = ""
        while True:
            now = told_by(workflows.read(namespace, run))
            done = sum(each.phase in (*ENDED, "Omitted", "Skipped") for each in now.steps)
            if done != shown.done:
                shown.advance(done - shown.done, total=len(now.steps))
            running = ", ".join(_told(e) for e in now.steps if e.phase in ("Running", "Pending"))
            text = running or now.message or now.phase
            if text and text != told:
                shown.note(text)
                told = text
            if now.phase in ENDED:
                shown.end("done" if now.good else "failed", now.message or now.phase)
                return now
            if clock() > until:
                raise _late(namespace, run, timeout, text)
            sleep(POLL_SECONDS)


def _late(namespace: str, run: str, timeout: float, doing: str) -> OperationFailed:
    return OperationFailed(
        f"{run} has not ended within {timeout:.0f} s: {doing or 'it was not started'}",
        where=f"namespace {namespace}",
        hint=f"it is still running: kubectl -n {namespace} get workflow {run}",
    )


def _told(step: StepEnd) -> str:
    """A step that runs; what holds it up where it waits, an image for example."""
    return f"{step.name} ({step.message})" if step.message else step.name


def told_by(workflow: Mapping[str, Any]) -> RunEnd:
    """What the status of a Workflow says."""
    status = workflow.get("status") or {}
    nodes = (status.get("nodes") or {}).values()
    # A step that may be tried again has a Retry node above the Pods that tried it.
    retried = {
        child for node in nodes if node.get("type") == "Retry" for child in node.get("children", [])
    }
    steps = [
        StepEnd(
            name=str(node.get("displayName")),
            phase=str(node.get("phase") or "Pending"),
            message=str(node.get("message") or ""),
            node=_last_try(node, status.get("nodes") or {}),
            seconds=_seconds(node),
        )
        for node in sorted(nodes, key=lambda n: str(n.get("startedAt")))
        if node.get("type") in ("Pod", "Retry") and node["id"] not in retried
    ]
    metadata = workflow.get("metadata") or {}
    return RunEnd(
        run=str(metadata.get("name")),
        namespace=str(metadata.get("namespace")),
        phase=str(status.get("phase") or ""),
        message=str(status.get("message") or ""),
        steps=tuple(steps),
    )


def failure(workflows: Workflows, end: RunEnd) -> OperationFailed:
    """The error that a failed run is told as: step, reason, last lines of its log."""
    bad = end.failed
    if bad is None:
        return OperationFailed(f"{end.run} {end.phase.lower()}: {end.message}", where=end.namespace)
    log = workflows.log(end.namespace, end.run, bad.node, LAST_LINES).strip()
    return OperationFailed(
        f"step '{bad.name}' of {end.run} failed: {bad.message}" + (f"\n{log}" if log else ""),
        where=f"namespace {end.namespace}",
        hint=f"kubectl -n {end.namespace} get workflow {end.run} -o yaml",
    )


def _last_try(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> str:
    if node.get("type") != "Retry":
        return str(node["id"])
    tries = [child for child in node.get("children", []) if child in nodes]
    return str(tries[-1] if tries else node["id"])


def _seconds(node: Mapping[str, Any]) -> float | None:
    from datetime import datetime

    start, end = node.get("startedAt"), node.get("finishedAt")
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
