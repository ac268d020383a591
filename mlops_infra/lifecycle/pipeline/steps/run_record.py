"""The built-in step `record`: keeps the run of a person's own pipeline without being asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.data.table import fingerprint
from mlops_infra.lifecycle.pipeline.definition.arguments import to_text
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.pipeline.steps.registry import registry, tags, trace
from mlops_infra.lifecycle.registry.run_record import Making, Model

if TYPE_CHECKING:
    import pandas as pd


def record(job: Job) -> Mapping[str, Any]:
    """Write parameters, metrics, code, data fingerprint and the model to MLflow."""
    tables = {name: job.load(name) for name in _of(job, "table")}
    metrics = _metrics(job)
    code = job.pipeline.code
    making = Making(
        experiment=job.pipeline.name,
        pipeline_run=job.run,
        parameters={name: to_text(value) for name, value in job.parameters.items()},
        metrics=metrics,
        tags=tags(job),
        files={"code.py": code.text.encode()} if code else {},
        data_sha256=_data(tables),
    )
    made = registry(job).record(making, _model(job, tables))
    trace(job, made)
    return {"registration": made.as_dict()}


def _of(job: Job, content: str) -> list[str]:
    return [n for n, s in job.step.inputs.items() if job.pipeline.content(s) == content]


def _metrics(job: Job) -> dict[str, float]:
    """All metrics; a name that two steps use is told apart by the step."""
    found = {name: job.load(name) for name in _of(job, "metrics")}
    names = [name for values in found.values() for name in values]
    return {
        name if names.count(name) == 1 else f"{job.step.inputs[place].step}.{name}": value
        for place, values in found.items()
        for name, value in values.items()
    }


def _data(tables: Mapping[str, pd.DataFrame]) -> str | None:
    """The fingerprint of the table that the run began with, or of all of them together."""
    prints = {name: fingerprint(frame) for name, frame in sorted(tables.items())}
    if len(prints) < 2:
        return next(iter(prints.values()), None)
    return hashlib.sha256(json.dumps(prints).encode()).hexdigest()


def _model(job: Job, tables: Mapping[str, pd.DataFrame]) -> Model | None:
    """The model that the last step made which makes one."""
    made = _of(job, "model")
    if not made:
        return None
    name = made[-1]
    estimator = job.load(name)
    return Model(
        name=job.pipeline.name,
        estimator=estimator,
        rows=_rows(estimator, tables),
        trusted=tuple(contents.trusted_types(job.read(name), job.inputs[name])),
        version_tags=tags(job),
    )


def _rows(estimator: Any, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Rows of the columns that the model was fitted on, where a table has them."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return None
    wanted = [str(name) for name in names]
    return next((t[wanted] for t in tables.values() if set(wanted) <= set(t.columns)), None)
