"""The built-in steps that keep what a run has made: `register` and `promote`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops_infra import __version__
from mlops_infra.lifecycle.data.parquet import to_parquet
from mlops_infra.lifecycle.data.table import Table
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.lineage.traces import Trace
from mlops_infra.lifecycle.pipeline.definition.arguments import to_text
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.registry.run_record import Making, MlflowRegistry, Model, Registration
from mlops_infra.lifecycle.registry.versions import RANGES_TAG
from mlops_infra.lifecycle.validation import ColumnSchema
from mlops_infra.lifecycle.validation.schema import from_json

REFERENCE_ROWS = 20_000
"""Kept with a run to compare later data with."""


def register(job: Job) -> Mapping[str, Any]:
    """Write the run and its model to MLflow, and lead from each id to the others."""
    facts, target = job.load("facts"), job.text("target")
    unseen, body = job.load("unseen"), job.read("trained")
    name = job.text("model")
    making = Making(
        experiment=job.text("experiment") or name,
        pipeline_run=job.run,
        parameters={key: to_text(value) for key, value in job.parameters.items()},
        metrics=job.load("metrics"),
        tags=tags(job),
        files={
            "facts.json": job.read("facts"),
            "schema.json": job.read("rules"),
            # what the drift job holds the requests of production against
            "reference.parquet": _reference(job),
        },
        data=Table(str(facts["data"]), unseen, target),
        data_sha256=str(facts["sha256"]),
    )
    model = Model(
        name=name,
        estimator=job.load("trained"),
        rows=unseen.drop(columns=[target]),
        trusted=tuple(contents.trusted_types(body, job.inputs["trained"])),
        version_tags={
            **tags(job),
            "mlops-infra.data.sha256": str(facts["sha256"]),
            **_ranges(job, target),
        },
    )
    made = registry(job).record(making, model)
    trace(job, made)
    return {"registration": made.as_dict()}


def promote(job: Job) -> Mapping[str, Any]:
    """Make the new version champion, if the policy says that it is better."""
    registration = job.load("registration")
    if not job.parameters["promote"]:
        told = {name: registration[name] for name in ("model", "version")}
        return {"decision": {"outcome": "skipped", "reason": "not requested", **told}}
    from mlops_infra.lifecycle.pipeline.steps.promotion import decide

    return {"decision": decide(job, registration)}


def _reference(job: Job) -> bytes:
    """What the model learnt from, a sample at most: drift is told by comparing with it."""
    seen = job.load("seen")
    if len(seen) > REFERENCE_ROWS:
        seen = seen.sample(REFERENCE_ROWS, random_state=job.whole("seed"))
    return to_parquet(seen)


def _ranges(job: Job, target: str) -> dict[str, str]:
    """What requests must keep, for the gateway: only rules that a person has declared.

    Ranges that were merely seen in the data would refuse the very drift that is to be noticed.
    """
    if not job.text("schema"):
        return {}
    rules = from_json(job.read("rules").decode(), job.text("schema")).without(target)
    spans = {column.name: _span(column) for column in rules.columns}
    return {RANGES_TAG: json.dumps({name: span for name, span in spans.items() if span})}


def _span(column: ColumnSchema) -> dict[str, object]:
    told: dict[str, object | None] = {
        "min": column.minimum,
        "max": column.maximum,
        "values": list(column.categories) if column.categories else None,
        "integer": True if column.kind == "integer" else None,
        "nullable": True if column.max_null_share > 0 else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def registry(job: Job) -> MlflowRegistry:
    """MLflow as the job's surroundings name it."""
    uri = job.around.need_tracking()
    return MlflowRegistry(uri, uri, job.around.tracking_login)


def tags(job: Job) -> dict[str, str]:
    """What is true of the run beside its numbers."""
    told = {
        "mlops-infra.version": __version__,
        "mlops-infra.pipeline": job.pipeline.name,
        "mlops-infra.pipeline_run": job.run,
        "mlops-infra.tenant": job.around.tenant,
        "mlops-infra.image": job.around.runtime_image,
        "mlops-infra.code.sha256": job.pipeline.code.sha256 if job.pipeline.code else None,
        "mlflow.source.git.commit": job.commit,
    }
    return {name: value for name, value in told.items() if value}


def trace(job: Job, made: Registration) -> None:
    """Record the ids of this run where the platform keeps lineage."""
    if job.around.lineage_endpoint is None:
        return
    from mlops_infra.lifecycle.services.valkey import ValkeyStore

    store = ValkeyStore(job.around.lineage_endpoint, job.around.lineage_password)
    Lineage(store).record(
        Trace(
            pipeline_run=job.run,
            tracking_run=made.run_id,
            data=made.data,
            model=f"{made.model}/{made.version}" if made.model else None,
            commit=job.commit.removesuffix("-dirty") if job.commit else None,
        )
    )
