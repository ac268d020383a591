"""How far each partition is: one row in PostgreSQL, moved on in the transaction of the scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.batch.job import BatchJob

if TYPE_CHECKING:
    from psycopg import Connection

_WRITE = (
    "INSERT INTO batch_score "
    "(tenant, job, partition, row_key, model, data, prediction, generation) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) "
    "ON CONFLICT (tenant, job, partition, row_key) DO UPDATE SET model = excluded.model, "
    "data = excluded.data, prediction = excluded.prediction, generation = excluded.generation, "
    "scored_at = now() WHERE batch_score.generation <> excluded.generation"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of one partition."""

    model: str
    data: str
    generation: int
    total: int
    done: int
    complete: bool


class Ledger:
    """One partition of one job, held by this process alone."""

    def __init__(self, connection: Connection[Any], job: BatchJob, partition: str) -> None:
        self._connection = connection
        self._job = job
        self._at = (job.tenant, f"{job.model}/{job.name}", partition)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs away; the lock belongs to the session and goes with a killed process.

        Raises:
            OperationFailed: another run scores this partition now.
        """
        name = "batch:" + "\0".join(self._at).replace("\0", "/")
        lock = "hashtextextended(%s, 0)"
        row = self._connection.execute(f"SELECT pg_try_advisory_lock({lock})", (name,)).fetchone()
        if row is None or not row[0]:
            raise OperationFailed(
                f"another run is scoring partition {self._at[2]} of {self._job.id}",
                hint="it continues by itself; check again in a minute",
            )
        try:
            yield
        finally:
            self._connection.execute(f"SELECT pg_advisory_unlock({lock})", (name,))

    def read(self) -> Progress | None:
        """How far the partition is; None where nobody has begun it."""
        row = self._connection.execute(
            "SELECT model, data, generation, total_rows, done_rows, state = 'done' FROM batch_run "
            "WHERE tenant = %s AND job = %s AND partition = %s",
            self._at,
        ).fetchone()
        return Progress(*row) if row else None

    def begin(self, model: str, data: str, total: int) -> Progress:
        """Begin the partition, or begin it again as a new generation."""
        row = self._connection.execute(
            "INSERT INTO batch_run (tenant, job, partition, model, data, total_rows) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (tenant, job, partition) DO UPDATE SET "
            "model = excluded.model, data = excluded.data, total_rows = excluded.total_rows, "
            "done_rows = 0, state = 'running', generation = batch_run.generation + 1, "
            "started_at = now(), changed_at = now() RETURNING generation",
            (*self._at, model, data, total),
        ).fetchone()
        assert row is not None  # noqa: S101 - RETURNING gives the row
        return Progress(model, data, int(row[0]), total, 0, complete=False)

    def write(self, progress: Progress, keys: Sequence[str], scores: Sequence[Any]) -> Progress:
        """Write one chunk and how far it brings the partition: both or nothing."""
        done = progress.done + len(keys)
        fixed = (progress.model, progress.data)
        rows = [
            (*self._at, key, *fixed, _json(score, key), progress.generation)
            for key, score in zip(keys, scores, strict=True)
        ]
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(_WRITE, rows)
            self._connection.execute(
                "UPDATE batch_run SET done_rows = %s, changed_at = now() "
                "WHERE tenant = %s AND job = %s AND partition = %s",
                (done, *self._at),
            )
        return replace(progress, done=done)

    def complete(self, progress: Progress) -> None:
        """Close the partition: scores of an older generation go in the same step."""
        at = "tenant = %s AND job = %s AND partition = %s"
        with self._connection.transaction():
            self._connection.execute(
                f"DELETE FROM batch_score WHERE {at} AND generation <> %s",  # noqa: S608 - from above
                (*self._at, progress.generation),
            )
            counted = self._connection.execute(
                f"SELECT count(*) FROM batch_score WHERE {at}",  # noqa: S608 - from above
                self._at,
            ).fetchone()
            if counted is None or counted[0] != progress.total:
                raise OperationFailed(
                    f"{counted[0] if counted else 0} scores for {progress.total} rows",
                    where=f"{self._job.id}, partition {self._at[2]}",
                    hint="scores were deleted: run it with --again",
                )
            self._connection.execute(
                f"UPDATE batch_run SET state = 'done', changed_at = now() WHERE {at}",  # noqa: S608
                self._at,
            )


def _json(score: Any, key: str) -> str:
    try:
        return json.dumps(score, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"the score of row {key} has no JSON form: {error}") from error
