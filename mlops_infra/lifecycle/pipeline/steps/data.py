"""The built-in steps that make data ready: `validate` and `features`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import FoundError, InputError
from mlops_infra.lifecycle.data import sources, storage
from mlops_infra.lifecycle.data.table import Table, fingerprint
from mlops_infra.lifecycle.pipeline.definition import estimators
from mlops_infra.lifecycle.pipeline.definition.standard import task_of
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.validation import TableSchema, infer, validator
from mlops_infra.lifecycle.validation.schema import from_json

if TYPE_CHECKING:
    import pandas as pd

FEWEST_ROWS = 20
"""Below it, a share held back for the evaluation says nothing."""


def validate(job: Job) -> Mapping[str, Any]:
    """Load the data and hold it against its schema; every broken rule is told at once."""
    data, target = job.text("data"), job.text("target")
    declared = _declared(job)
    texts = declared.texts if declared else ()
    table = _seen(sources.load(data, job.around, target=target, texts=texts), job)
    for note in table.notes:
        job.note(note)
    problems = _unfit(table.frame, target, classes=task_of(job.pipeline) == "classification")
    schema = declared or infer(table.frame)
    report = validator(job.around.validator).check(table.frame, schema)
    problems += [str(finding) for finding in report.findings]
    if problems:
        raise FoundError(
            f"the data breaks {len(problems)} rule{'s' if len(problems) != 1 else ''}",
            problems,
            where=data,
            hint="fix the data, or update the schema",
        )
    facts = {
        "data": data,
        "sha256": fingerprint(table.frame),
        "rows": len(table.frame),
        "columns": [str(name) for name in table.frame.columns],
        "notes": list(table.notes),
    }
    return {"table": table.frame, "facts": facts, "schema": schema.to_json().encode()}


def _seen(table: Table, job: Job) -> Table:
    """The table without the columns that the model shall not see."""
    ignored = [name for name in str(job.parameters.get("ignore", "")).split(",") if name]
    unknown = [name for name in ignored if name not in table.frame.columns or name == table.target]
    if unknown:
        raise InputError(
            f"the column '{unknown[0]}' cannot be ignored",
            where=table.name,
            hint=f"it has: {', '.join(table.features)}",
        )
    return replace(table, frame=table.frame.drop(columns=ignored))


def features(job: Job) -> Mapping[str, Any]:
    """Divide the rows into those to learn from and those to be measured on."""
    seen, unseen = estimators.divide(
        job.load("table"),
        job.text("target"),
        task=task_of(job.pipeline),
        test_size=job.number("test_size"),
        seed=job.whole("seed"),
    )
    return {"seen": seen, "unseen": unseen}


def _declared(job: Job) -> TableSchema | None:
    """The schema that was asked for; without one, the data's own will do."""
    place = job.text("schema")
    return from_json(storage.read(place, job.around).decode(), place) if place else None


def _unfit(frame: pd.DataFrame, target: str, *, classes: bool) -> list[str]:
    """What no schema needs to say: without it nothing can be learnt."""
    found = []
    if len(frame) < FEWEST_ROWS:
        found.append(f"{len(frame)} rows, at least {FEWEST_ROWS} are needed")
    if nulls := int(frame[target].isna().sum()):
        found.append(f"{target}: no value in {nulls} rows")
    if classes and frame[target].nunique() < 2:
        found.append(f"{target}: only one class")
    if len(frame.columns) < 2:
        found.append("no column besides the target")
    return found
