"""Runs one step: finds its function, hands it the job, writes what it returns, remembers it.

Every engine ends here, so a step does the same everywhere. Mathematical libraries are held to one
thread: the order of their additions, and so the last bits of a metric, must not depend on the
number of processors.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_infra import __version__
from mlops_infra.errors import InputError, MlopsError, OperationFailed
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.arguments import to_text
from mlops_infra.lifecycle.pipeline.definition.model import Content
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.progress import Sink, step

BUILT_IN: dict[str, str] = {
    "validate": "mlops_infra.lifecycle.pipeline.steps.data:validate",
    "features": "mlops_infra.lifecycle.pipeline.steps.data:features",
    "baseline": "mlops_infra.lifecycle.pipeline.steps.baseline:baseline",
    "train": "mlops_infra.lifecycle.pipeline.steps.models:train",
    "evaluate": "mlops_infra.lifecycle.pipeline.steps.models:evaluate",
    "register": "mlops_infra.lifecycle.pipeline.steps.registry:register",
    "promote": "mlops_infra.lifecycle.pipeline.steps.registry:promote",
    "record": "mlops_infra.lifecycle.pipeline.steps.run_record:record",
    "code": "mlops_infra.lifecycle.pipeline.steps.user_step:run",
}
"""What `mlops-infra step` knows, imported only when it runs."""

Work = Callable[[Job], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a step has written."""

    digests: Mapping[str, str]
    """SHA-256 of each output."""
    reused: str | None = None
    """The run whose outputs were taken, where nothing had to be done."""


def execute(job: Job, sink: Sink, *, cache: str | None = None) -> Ended:
    """Run the step, or take the outputs of an equal one from `cache`.

    Raises:
        MlopsError: whatever the step raises on purpose.
        OperationFailed: the step returned something else than it declares.
    """
    title = f"{job.pipeline.name}: {job.step.name}"
    with step(sink, title) as shown:
        key = _key(job) if cache is not None and job.step.cached else None
        if cache is not None and key is not None:
            reused = _reuse(job, f"{cache.rstrip('/')}/{key}")
            if reused is not None:
                shown.end("unchanged", f"outputs of {reused.reused}")
                return reused
        notes: list[str] = []
        ended = _write(job, _call(replace(job, note=notes.append)))
        if cache is not None and key is not None:
            _keep(job, f"{cache.rstrip('/')}/{key}", ended)
        made = ", ".join(f"{n} {d[:12]}" for n, d in ended.digests.items())
        # at the end: what a terminal shows of a step while it runs is gone then
        shown.end("done", "\n    note: ".join([made, *notes]))
        return ended


def _call(job: Job) -> Mapping[str, Any]:
    from threadpoolctl import threadpool_limits

    if job.step.entry not in BUILT_IN:
        raise InputError(
            f"no such step: '{job.step.entry}'", hint=f"there are: {', '.join(BUILT_IN)}"
        )
    module, _, name = BUILT_IN[job.step.entry].partition(":")
    work: Work = getattr(importlib.import_module(module), name)
    with threadpool_limits(limits=1):
        return work(job)


def _write(job: Job, returned: Mapping[str, Any]) -> Ended:
    if set(returned) != set(job.step.outputs):
        raise OperationFailed(
            f"step '{job.step.name}' returned {sorted(returned)}, not {sorted(job.step.outputs)}"
        )
    bodies = {
        name: _dumped(job, name, content, returned[name])
        for name, content in job.step.outputs.items()
    }
    for name, body in bodies.items():
        storage.write(job.outputs[name], body, job.around)
    return Ended({name: storage.digest(body) for name, body in bodies.items()})


def _dumped(job: Job, name: str, content: Content, value: Any) -> bytes:
    where = f"output '{name}' of step '{job.step.name}'"
    try:
        return contents.dump(content, value, where)
    except MlopsError:
        raise
    except Exception as error:
        if job.step.entry != "code":
            raise
        # what a person's code has made is theirs, whatever a library says of it
        kind = type(value)
        raise InputError(
            f"a {kind.__module__}.{kind.__qualname__} cannot be kept as {content}: "
            f"{type(error).__name__}: {error}",
            where=where,
        ) from error


def _key(job: Job) -> str:
    """Names everything that the outputs depend on."""
    told = {
        "version": __version__,
        "entry": job.step.entry,
        "step": job.step.name,
        "code": job.pipeline.code.sha256 if job.pipeline.code else None,
        "parameters": {name: to_text(value) for name, value in job.parameters.items()},
        "inputs": {name: storage.digest(job.read(name)) for name in job.step.inputs},
        "outputs": dict(job.step.outputs),
        "image": job.around.runtime_image,
    }
    return storage.digest(json.dumps(told, sort_keys=True).encode())


def _reuse(job: Job, place: str) -> Ended | None:
    if not storage.exists(f"{place}/manifest.json", job.around):
        return None
    manifest = json.loads(storage.read(f"{place}/manifest.json", job.around))
    bodies = {name: storage.read(f"{place}/{name}", job.around) for name in job.step.outputs}
    digests = {name: storage.digest(body) for name, body in bodies.items()}
    if digests != manifest["digests"]:
        # Somebody changed what lies there: do the work again rather than trust it.
        return None
    for name, body in bodies.items():
        storage.write(job.outputs[name], body, job.around)
    return Ended(digests, reused=str(manifest["run"]))


def _keep(job: Job, place: str, ended: Ended) -> None:
    for name in job.step.outputs:
        storage.write(f"{place}/{name}", storage.read(job.outputs[name], job.around), job.around)
    # The manifest last: what it names is whole.
    manifest = {"run": job.run, "digests": dict(ended.digests)}
    storage.write(f"{place}/manifest.json", json.dumps(manifest).encode(), job.around)
