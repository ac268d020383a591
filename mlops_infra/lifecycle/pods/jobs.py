"""The declared drift and batch jobs, read from the same document as the triggers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.batch.job import BatchJob
from mlops_infra.lifecycle.drift.job import DriftJob
from mlops_infra.lifecycle.triggers.declared import duration

_T = TypeVar("_T")


def drift_jobs(text: str, where: str) -> tuple[DriftJob, ...]:
    """The models whose inputs are watched.

    Raises:
        InputError: it is not the document that the plan made.
    """
    return tuple(job for found in _each(text, where, _drift) for job in found)


def batch_jobs(text: str, where: str) -> tuple[BatchJob, ...]:
    """The jobs that score in bulk.

    Raises:
        InputError: it is not the document that the plan made.
    """
    return tuple(job for found in _each(text, where, _batch) for job in found)


def _each(text: str, where: str, read: Callable[[Mapping[str, Any]], _T]) -> list[_T]:
    try:
        return [read(model) for model in json.loads(text)["models"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a list of declared models: {error!r}", where=where) from error


def _drift(model: Mapping[str, Any]) -> list[DriftJob]:
    body = model.get("drift")
    if not body:
        return []
    return [
        DriftJob(
            tenant=model["tenant"],
            model=model["name"],
            bucket=model["bucket"],
            window=duration(body.get("window", "1d")),
            share=float(body.get("share", 0.5)),
            min_rows=int(body.get("minRows", 50)),
        )
    ]


def _batch(model: Mapping[str, Any]) -> list[BatchJob]:
    return [
        BatchJob(
            tenant=model["tenant"],
            name=name,
            model=model["name"],
            source=body["source"],
            key=tuple(body["key"]),
            partition_column=body.get("partitionColumn"),
            chunk_rows=int(body.get("chunkRows", 1000)),
        )
        for name, body in (model.get("batch") or {}).items()
    ]
