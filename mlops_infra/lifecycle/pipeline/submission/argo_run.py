"""Sends a run to Argo, follows it, and says why it failed with the last lines of its Pod."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.pipeline.submission.following import (
    LAST_LINES,
    RunEnd,
    StepEnd,
    follow,
)
from mlops_infra.progress import Sink

_EXIT = re.compile(r"exit (?:code|status) (\d+)")
KILLED = 137
"""128 and SIGKILL: what the kernel sends where memory runs out."""


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
    """Follow the run of this name to its end, as `follow` does."""
    return follow(
        lambda: told_by(workflows.read(namespace, run)),
        run,
        sink,
        timeout=timeout,
        late=(f"namespace {namespace}", f"kubectl -n {namespace} get workflow {run}"),
        clock=clock,
        sleep=sleep,
    )


def told_by(workflow: Mapping[str, Any]) -> RunEnd:
    """What the status of a Workflow says."""
    status = workflow.get("status") or {}
    nodes = status.get("nodes") or {}
    templates = {
        str(each.get("name")): each for each in (workflow.get("spec") or {}).get("templates") or ()
    }
    # A step that may be tried again has a Retry node above the Pods that tried it.
    retried = {
        child
        for node in nodes.values()
        if node.get("type") == "Retry"
        for child in node.get("children", [])
    }
    steps = [
        _step_end(node, nodes, templates.get(str(node.get("templateName"))) or {})
        for node in sorted(nodes.values(), key=lambda n: str(n.get("startedAt")))
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


def _step_end(
    node: Mapping[str, Any], nodes: Mapping[str, Any], template: Mapping[str, Any]
) -> StepEnd:
    last = _last_try(node, nodes)
    tried = nodes.get(last) or node
    told = _EXIT.search(str(tried.get("message") or ""))
    code = (tried.get("outputs") or {}).get("exitCode") or (told and told[1])
    limits = ((template.get("container") or {}).get("resources") or {}).get("limits") or {}
    limit = template.get("activeDeadlineSeconds")
    message = str(node.get("message") or "")
    inner = str(tried.get("message") or "")
    return StepEnd(
        name=str(node.get("displayName")),
        phase=str(node.get("phase") or "Pending"),
        # of a step that was tried again, the last try says more than the end of the trying
        message=inner if inner and node.get("phase") in ("Failed", "Error") else message or inner,
        node=last,
        seconds=_seconds(node),
        exit_code=_whole(code),
        memory=limits.get("memory"),
        time_limit=_whole(limit),
    )


def _whole(value: object) -> int | None:
    """A number that Argo writes as a number or as a text."""
    return int(str(value)) if str(value).isdigit() else None


def failure(workflows: Workflows, end: RunEnd) -> OperationFailed:
    """The error that a failed run is told as: step, reason, last lines of its log."""
    bad = end.failed
    if bad is None:
        return OperationFailed(f"{end.run} {end.phase.lower()}: {end.message}", where=end.namespace)
    log = workflows.log(end.namespace, end.run, bad.node, LAST_LINES).strip()
    what, hint = _reason(bad)
    return OperationFailed(
        f"step '{bad.name}' of {end.run} {what}" + (f"\n{log}" if log else ""),
        where=f"namespace {end.namespace}",
        hint=hint or f"kubectl -n {end.namespace} get workflow {end.run} -o yaml",
    )


def _reason(step: StepEnd) -> tuple[str, str | None]:
    """Why a step ended, and what to write where that is known."""
    if step.time_limit and "deadline" in step.message.lower():
        hint = f"if it needs more time: @step(timeout_seconds={2 * step.time_limit})"
        return f"ran longer than its time limit of {step.time_limit} s", hint
    out_of_memory = "OOMKilled" in step.message
    if step.memory and (out_of_memory or step.exit_code == KILLED):
        from mlops_infra.config.language.quantities import doubled

        surely = "used more than" if out_of_memory else "was killed; most likely it used more than"
        hint = f"if it needs more memory: @step(memory={json.dumps(doubled(step.memory))})"
        return f"{surely} its memory limit of {step.memory} ({step.message})", hint
    return f"failed: {step.message}", None


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
