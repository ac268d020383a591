"""Runs a pipeline on Kubeflow Pipelines in a tenant's namespace, and says how it went."""

from __future__ import annotations

import datetime
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Value
from mlops_infra.lifecycle.pipeline.definition.places import cache, code_object
from mlops_infra.lifecycle.pipeline.engines import kfp
from mlops_infra.lifecycle.pipeline.submission.following import (
    LAST_LINES,
    RunEnd,
    StepEnd,
    follow,
)
from mlops_infra.lifecycle.pipeline.submission.kfp_api import Document, PipelinesApi, Version
from mlops_infra.lifecycle.pipeline.submission.submit import image_of
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
from mlops_infra.progress import Sink

POLL_SECONDS = 2.0
"""KFP hears of a step that ended by an agent: looking more often shows nothing new."""
_PHASES = {
    "PENDING": "Pending",
    "PAUSED": "Pending",
    "RUNNING": "Running",
    "CANCELING": "Running",
    "SUCCEEDED": "Succeeded",
    "SKIPPED": "Skipped",
    "FAILED": "Failed",
    "CANCELED": "Failed",
}


class StepLogs(Protocol):
    """Where logs of steps are read from."""

    def kfp_log(self, namespace: str, run: str, step: str, lines: int) -> str:
        """The last lines of a step's container; empty where it never ran."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A pipeline that the server keeps, and the experiment of its runs."""

    version: Version
    experiment: str


def upload(pipeline: Pipeline, tenancy: Tenancy, api: PipelinesApi) -> Uploaded:
    """Bring the pipeline to the server; what it has already is not sent again.

    The code goes first, named by its content, to the tenant's bucket.

    Raises:
        InputError: the pipeline cannot be said in KFP's words, or nothing tells the runtime image.
        OperationFailed: the server, the cluster or the bucket refuses.
    """
    code = None
    if pipeline.code is not None:
        code = code_object(pipeline.code.sha256)
        storage.write(code, pipeline.code.text.encode(), tenancy.around)
    defaults = {each.name: each.default for each in pipeline.parameters}
    image = image_of(tenancy, api.namespace)
    made = kfp.documents(pipeline, defaults, image=image, code=code, cache=cache(""))
    text = kfp.to_yaml(made)
    name = f"{pipeline.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return Uploaded(api.version(pipeline.name, name, text), api.experiment(pipeline.name))


def submit(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    tenancy: Tenancy,
    api: PipelinesApi,
    *,
    name: str,
) -> str:
    """Start one run; its id, by which steps, results and lineage know it. Raises like `upload`."""
    used = upload(pipeline, tenancy, api)
    parameters = kfp.runtime_values(pipeline, values)
    return str(api.start(used.version, name, parameters, used.experiment)["run_id"])


def wait(
    api: PipelinesApi,
    run: str,
    steps: Iterable[str],
    sink: Sink,
    *,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RunEnd:
    """Follow the run of this id to its end, as `follow` does.

    Of its tasks those are told that `steps` names, the steps of the pipeline.
    """
    names = frozenset(steps)
    return follow(
        lambda: told_by(api.run(run), names, api.namespace),
        run,
        sink,
        timeout=timeout,
        late=(f"namespace {api.namespace}", f"mlops-infra pipeline stop {run} ends it"),
        poll=POLL_SECONDS,
        clock=clock,
        sleep=sleep,
    )


def told_by(run: Document, names: frozenset[str], namespace: str) -> RunEnd:
    """What the server says of a run; of its tasks those that are steps, not what KFP adds."""
    tasks = (run.get("run_details") or {}).get("task_details") or ()
    latest: dict[str, Document] = {}
    for task in sorted(tasks, key=lambda each: str(each.get("start_time") or "")):
        if task.get("display_name") in names:
            latest[str(task["display_name"])] = task
    state = str(run.get("state") or "")
    message = str((run.get("error") or {}).get("message") or "")
    return RunEnd(
        run=str(run.get("run_id")),
        namespace=namespace,
        phase=_PHASES.get(state, ""),
        message=message or ("it was stopped" if state in ("CANCELED", "CANCELING") else ""),
        steps=tuple(_step(task) for task in latest.values()),
    )


def _step(task: Document) -> StepEnd:
    return StepEnd(
        name=str(task["display_name"]),
        phase=_PHASES.get(str(task.get("state") or ""), "Pending"),
        message=str((task.get("error") or {}).get("message") or ""),
        node=str(task.get("task_id") or ""),
        seconds=_seconds(task),
    )


def _seconds(task: Document) -> float | None:
    """How long it took; a task that has not ended has the year 1970 or earlier as its end."""
    try:
        start, end = (datetime.datetime.fromisoformat(task[k]) for k in ("start_time", "end_time"))
    except (KeyError, TypeError, ValueError):
        return None
    return (end - start).total_seconds() if end >= start else None


def failure(logs: StepLogs, end: RunEnd) -> OperationFailed:
    """The error that a failed run is told as: step, reason, last lines of its log."""
    bad = end.failed
    if bad is None:
        return OperationFailed(f"{end.run} failed: {end.message}", where=end.namespace)
    log = logs.kfp_log(end.namespace, end.run, bad.name, LAST_LINES).strip()
    what = f"step '{bad.name}' of {end.run} failed"
    reason = bad.message or end.message
    return OperationFailed(
        what + (f": {reason}" if reason else "") + (f"\n{log}" if log else ""),
        where=f"namespace {end.namespace}",
        hint=f"kubectl -n {end.namespace} get pods -l pipeline/runid={end.run}",
    )


def tracking_run(run: Document) -> str | None:
    """The run of MLflow that KFP's own plug-in keeps beside those of the steps, where it is on."""
    entries: Mapping[str, Any] = (run.get("plugins_output") or {}).get("mlflow", {}).get(
        "entries"
    ) or {}
    found = (entries.get("root_run_id") or {}).get("value")
    return str(found) if found else None
