"""Writes predictions to PostgreSQL, never in the way of an answer.

A bounded queue, one thread, batches. A database that is away fills the queue; then rows are dropped
and counted. A row that the database does not take as it is costs no other one: it is stored with
the place marked. At the end all that waits is written, as long as the database answers in time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import astuple, fields
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.core.metrics import Metrics
from mlops_infra.lifecycle.gateway.core.prediction import Row
from mlops_infra.lifecycle.gateway.core.storable import storable, without_content
from mlops_infra.lifecycle.gateway.core.texts import printable
from mlops_infra.lifecycle.services.database import connect
from mlops_infra.lifecycle.services.workers import ThreadWorker

if TYPE_CHECKING:
    from psycopg import Connection

BATCH_ROWS = 100
LINGER_SECONDS = 0.1
RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


_COLUMNS = ", ".join(field.name for field in fields(Row))
_PLACES = ", ".join(
    "%s::jsonb" if field.name in ("request", "response") else "%s" for field in fields(Row)
)
# A batch whose commit got lost is written again: the same rows are not an error.
_INSERT = f"INSERT INTO prediction ({_COLUMNS}) VALUES ({_PLACES}) ON CONFLICT DO NOTHING"  # noqa: S608


class RequestLog:
    """The queue and its writer."""

    def __init__(
        self, conninfo: str, *, rows: int, metrics: Metrics, retry: float = RETRY_SECONDS
    ) -> None:
        self._conninfo = conninfo
        self._most = rows
        self._metrics = metrics
        self._retry = retry
        self._queue: deque[Row] = deque()
        self._writing = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._give_up: float | None = None
        self.worker = ThreadWorker("request-log", self._run)
        """The writer; what it had taken when it ends is back in the queue."""

    def put(self, row: Row) -> bool:
        """Queue a row; False where the queue is full and the row is lost."""
        if len(self._queue) >= self._most:
            self._metrics.unlogged.labels("full").inc()
            return False
        self._queue.append(row)
        if not self._wake.is_set():
            self._wake.set()
        return True

    def flushed(self, seconds: float) -> bool:
        """Wait until all that was queued is written; whether it is."""
        until = time.monotonic() + seconds
        self._wake.set()
        while self._queue or self._writing:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def close(self, seconds: float) -> int:
        """Write what waits and stop; how many rows were lost because the time was over."""
        self._give_up = time.monotonic() + seconds
        self._closing.set()
        self._wake.set()
        if not self.worker.alive:
            self.worker.start()
        self.worker.join(seconds + 1)
        left = len(self._queue) + self._writing
        if left:
            self._metrics.unlogged.labels("shutdown").inc(left)
            _log.error("%d predictions are not in the database", left)
        return left

    def _run(self) -> None:
        while not self._done():
            try:
                with connect(self._conninfo, autocommit=True) as connection:
                    self._pump(connection)
            except OperationFailed as error:
                _log.warning("request log: %s", error.what)
            except Exception:  # noqa: BLE001 - no failure may end the writing
                self._metrics.item_errors.labels(self.worker.name).inc()
                _log.exception("request log")
            if not self._done():
                self._closing.wait(self._retry if not self._closing.is_set() else 0.05)

    def _pump(self, connection: Connection[Any]) -> None:
        while not self._done():
            if not self._queue:
                self._wake.wait(1.0)
                self._wake.clear()
                # Let a batch grow; a single row would cost as much as a hundred.
                self._closing.wait(LINGER_SECONDS)
                continue
            self._write(connection)

    def _write(self, connection: Connection[Any]) -> None:
        # Counted before it is taken, so that `flushed` never sees nothing of both.
        self._writing = min(BATCH_ROWS, len(self._queue))
        batch = [self._queue.popleft() for _ in range(self._writing)]
        try:
            written = self._insert(connection, batch)
        except BaseException:
            # Back where they were: the next connection writes them.
            self._queue.extendleft(reversed(batch))
            raise
        finally:
            self._writing = 0
        self._metrics.logged.inc(written)
        self._metrics.waiting.set(len(self._queue))

    def _insert(self, connection: Connection[Any], batch: Sequence[Row]) -> int:
        """Write a batch; how many rows were written: those that PostgreSQL refuses are marked."""
        try:
            _insert(connection, batch)
        except Exception as error:
            if _is_of_the_connection(error):
                raise
            if len(batch) == 1:
                return self._mark(connection, batch[0], error)
            half = len(batch) // 2
            return self._insert(connection, batch[:half]) + self._insert(connection, batch[half:])
        return len(batch)

    def _mark(self, connection: Connection[Any], row: Row, refusal: Exception) -> int:
        why = printable(str(refusal).partition("\n")[0])
        for form in (storable, partial(without_content, why=why)):
            try:
                _insert(connection, [form(row)])
            except Exception as error:
                if _is_of_the_connection(error):
                    raise
                why = printable(str(error).partition("\n")[0])
                continue
            self._metrics.marked.inc()
            _log.warning("prediction %s is stored with marks: %s", row.prediction_id, why)
            return 1
        _log.error("prediction %s cannot be written: %s", row.prediction_id, why)
        self._metrics.unlogged.labels("refused").inc()
        return 0

    def _done(self) -> bool:
        if not self._closing.is_set():
            return False
        return not self._queue or (self._give_up is not None and time.monotonic() > self._give_up)


def _insert(connection: Connection[Any], batch: Sequence[Row]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_INSERT, [astuple(row) for row in batch])


def _is_of_the_connection(error: Exception) -> bool:
    """Whether any row would have failed, and another connection may help."""
    import psycopg

    of_a_row = (psycopg.DataError, psycopg.IntegrityError)
    return isinstance(error, psycopg.Error | OSError) and not isinstance(error, of_a_row)
