"""Scores one partition: checked first, chunk by chunk, gone on with where a killed run stopped."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import FoundError, InputError, MlopsError, OperationFailed
from mlops_infra.lifecycle.batch.job import BatchJob, BatchResult, Champion, Scorer
from mlops_infra.lifecycle.batch.ledger import Ledger, Progress
from mlops_infra.lifecycle.data.table import fingerprint
from mlops_infra.lifecycle.validation import TableSchema, check
from mlops_infra.progress import Sink, Step, step

if TYPE_CHECKING:
    import pandas as pd
    from psycopg import Connection

_EXAMPLES = 3
_log = logging.getLogger(__name__)
Connect = Callable[[], AbstractContextManager["Connection[Any]"]]
"""Opens a connection on which each statement is its own transaction."""


def each(
    partitions: Sequence[str], score: Callable[[str], BatchResult]
) -> tuple[list[BatchResult], list[str]]:
    """Score one partition after the other; what is wrong with one costs that one.

    Returns:
        The results, and for each partition without one its name and what is wrong.

    Raises:
        OperationFailed: a service fails twice in a row, as it would for the others too.
    """
    results: list[BatchResult] = []
    failed: list[str] = []
    broken = False
    for name in partitions:
        was_broken, broken = broken, False
        try:
            results.append(score(name))
        except OperationFailed as error:
            if was_broken:
                raise
            broken = True
            failed.append(f"{name}: {error.what}")
        except FoundError as error:
            failed.append("; ".join([f"{name}: {error.what}", *error.findings[:_EXAMPLES]]))
        except MlopsError as error:
            failed.append(f"{name}: {error.what}")
        except Exception as error:  # noqa: BLE001 - rows of a form that nobody expected
            _log.exception("partition %s", name)
            failed.append(f"{name}: {error!r}")
    return results, failed


def run(
    job: BatchJob,
    partition: str,
    rows: pd.DataFrame,
    *,
    champion: Champion,
    connect: Connect,
    sink: Sink,
    schema: TableSchema | None = None,
    again: bool = False,
) -> BatchResult:
    """Score `rows`; to run it twice writes nothing the second time.

    All rows of a partition are scored by the version that was champion when it was begun. A
    partition whose content has changed since is refused, unless it is to be scored `again`: then
    every row is written anew and the old scores go when all new ones are there.

    Raises:
        FoundError: the rows break the schema, or their key does not name them.
        InputError: the partition has changed.
        OperationFailed: another run is at it, or a service fails; what is written stays.
    """
    with step(sink, f"Scoring {job.id} {partition}", total=len(rows), unit="rows") as work:
        keys = _keys(job, rows)
        if schema is not None:
            # the key and what tells partitions are not inputs: the schema need not know them
            rules = replace(schema, other_columns="allow", unique_together=())
            check(rows, rules).require(f"partition {partition}", where=job.source)
        data = fingerprint(rows)
        with connect() as connection:
            ledger = Ledger(connection, job, partition)
            with ledger.held():
                found = ledger.read()
                if found is not None and not again and _finished(found, data, job, partition):
                    work.end("unchanged", f"{found.total} rows were scored by {found.model}")
                    return BatchResult(
                        partition, found.model, found.total, 0, found.total, "unchanged"
                    )
                scorer = _scorer(champion, None if again else found)
                progress = (
                    found
                    if found is not None and not again
                    else ledger.begin(scorer.version, data, len(rows))
                )
                return _score(job, partition, rows, keys, scorer, ledger, progress, work)


def _score(
    job: BatchJob,
    partition: str,
    rows: pd.DataFrame,
    keys: list[str],
    scorer: Scorer,
    ledger: Ledger,
    progress: Progress,
    work: Step,
) -> BatchResult:
    resumed = progress.done
    work.advance(resumed)
    inputs = rows.drop(columns=[name for name in job.key if name in rows.columns])
    if job.partition_column in inputs.columns:
        inputs = inputs.drop(columns=[job.partition_column])
    while progress.done < progress.total:
        first, last = progress.done, min(progress.done + job.chunk_rows, progress.total)
        scores = scorer.score(inputs.iloc[first:last])
        if len(scores) != last - first:
            raise OperationFailed(
                f"{scorer.version} gave {len(scores)} answers for {last - first} rows"
            )
        progress = ledger.write(progress, keys[first:last], scores)
        work.advance(last - first)
    ledger.complete(progress)
    work.end("done", f"{progress.total - resumed} rows by {progress.model}")
    written = progress.total - resumed
    return BatchResult(partition, progress.model, progress.total, written, resumed, "done")


def _finished(found: Progress, data: str, job: BatchJob, partition: str) -> bool:
    if found.data != data:
        raise InputError(
            f"partition {partition} has other rows than when it was first scored",
            where=job.source,
            hint="a partition should never change; to replace its scores use --again",
        )
    return found.complete


def _scorer(champion: Champion, found: Progress | None) -> Scorer:
    return champion.current() if found is None else champion.version(found.model)


def _keys(job: BatchJob, rows: pd.DataFrame) -> list[str]:
    """One text for each row: the same row has the same on every machine."""
    absent = [name for name in job.key if name not in rows.columns]
    if absent:
        raise FoundError(
            f"the rows have no column '{absent[0]}' of the key",
            [f"columns: {', '.join(map(str, rows.columns))}"],
            where=job.source,
        )
    if rows[list(job.key)].isna().any().any():
        raise FoundError(f"rows without a key in {', '.join(job.key)}", where=job.source)
    columns = [rows[name].tolist() for name in job.key]
    keys = [_key(values) for values in zip(*columns, strict=True)]
    twice = sorted(key for key, count in Counter(keys).items() if count > 1)
    if twice:
        raise FoundError(
            f"the key {', '.join(job.key)} does not identify the rows",
            [f"{key} is not unique" for key in twice[:_EXAMPLES]],
            where=job.source,
        )
    return keys


def _key(values: tuple[Any, ...]) -> str:
    if len(values) == 1:
        return str(values[0])
    return json.dumps([str(value) for value in values], ensure_ascii=False)
