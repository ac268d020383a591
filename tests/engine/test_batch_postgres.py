"""Batch scores in a real PostgreSQL: run twice, killed half-way, changed: each row once."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from mlops_infra.errors import FoundError, InputError, OperationFailed
from mlops_infra.lifecycle import batch
from mlops_infra.lifecycle.batch import BatchJob, BatchResult
from mlops_infra.lifecycle.batch.ledger import Ledger
from mlops_infra.lifecycle.batch.sources import BucketSource, TableSource
from mlops_infra.lifecycle.services import database
from mlops_infra.lifecycle.validation import TableSchema, infer
from mlops_infra.progress import quiet
from tests.engine import postgres

JOB = BatchJob("demo", "nightly", "wine", "s3://b/in", key=("id",), chunk_rows=10)
ROWS = pd.DataFrame({"id": range(95), "x": [n / 7 for n in range(95)]})
_numbers = itertools.count(1)


@pytest.fixture
def conninfo(postgresql: str) -> str:
    return postgres.fresh(postgresql, f"batch{next(_numbers)}")


class Doubling:
    """A version that doubles, and can die at a certain row."""

    def __init__(self, version: str, *, dies_at: int | None = None) -> None:
        self.version = version
        self.dies_at = dies_at
        self.asked = 0

    def score(self, rows: pd.DataFrame) -> Sequence[Any]:
        assert list(rows.columns) == ["x"], "the key is no input"
        self.asked += len(rows)
        if self.dies_at is not None and self.asked > self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return [2 * x for x in rows["x"]]


class Champions:
    def __init__(self, current: str, *, dies_at: int | None = None) -> None:
        self.scorers: list[Doubling] = []
        self._current, self._dies_at = current, dies_at

    def current(self) -> Doubling:
        return self.version(self._current)

    def version(self, version: str) -> Doubling:
        self.scorers.append(Doubling(version, dies_at=self._dies_at))
        return self.scorers[-1]


def run(
    conninfo: str,
    rows: pd.DataFrame = ROWS,
    *,
    champion: str = "wine/1",
    dies_at: int | None = None,
    again: bool = False,
    schema: TableSchema | None = None,
) -> tuple[BatchResult, Champions]:
    champions = Champions(champion, dies_at=dies_at)
    connect = partial(database.connect, conninfo, autocommit=True)
    result = batch.run(
        JOB, "day1", rows, champion=champions, connect=connect, sink=quiet, again=again,
        schema=schema,
    )  # fmt: skip
    return result, champions


def scores(conninfo: str) -> list[tuple[Any, ...]]:
    with database.connect(conninfo) as connection:
        return connection.execute(
            "SELECT row_key, prediction, model FROM batch_score ORDER BY row_key::int"
        ).fetchall()


WANTED = [(str(n), 2 * n / 7, "wine/1") for n in range(95)]


def test_to_run_twice_writes_each_row_once(conninfo: str) -> None:
    first, _ = run(conninfo)
    second, champions = run(conninfo, champion="wine/2")
    assert (first.rows, first.written, first.outcome) == (95, 95, "done")
    assert (second.written, second.outcome, champions.scorers) == (0, "unchanged", [])
    assert scores(conninfo) == WANTED


def test_a_killed_run_is_gone_on_with_by_the_same_version(conninfo: str) -> None:
    """kill -9 in the fifth chunk; meanwhile another version has become champion."""
    root = Path(__file__).parents[2]
    code = (
        "import sys; from tests.engine.test_batch_postgres import run; run(sys.argv[1], dies_at=45)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, conninfo],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert len(scores(conninfo)) == 40
    result, champions = run(conninfo, champion="wine/2")
    assert (result.resumed_at, result.written, result.model) == (40, 55, "wine/1")
    assert champions.scorers[0].asked == 55
    assert scores(conninfo) == WANTED


def test_changed_rows_are_told_and_replaced_only_when_asked(conninfo: str) -> None:
    run(conninfo)
    fewer = ROWS.head(50).assign(x=1.0)
    with pytest.raises(InputError, match="other rows") as error:
        run(conninfo, fewer)
    assert "--again" in str(error.value)
    assert scores(conninfo) == WANTED
    run(conninfo, fewer, champion="wine/2", again=True)
    assert scores(conninfo) == [(str(n), 2.0, "wine/2") for n in range(50)]


def test_two_runs_at_once_do_not_mix(conninfo: str) -> None:
    with (
        database.connect(conninfo, autocommit=True) as connection,
        Ledger(connection, JOB, "day1").held(),
        pytest.raises(OperationFailed, match="another run"),
    ):
        run(conninfo)
    assert run(conninfo)[0].outcome == "done"


def test_rows_that_break_the_schema_or_have_no_key_are_not_scored(conninfo: str) -> None:
    schema = infer(ROWS[["x"]], slack=0.0)
    with pytest.raises(FoundError) as error:
        run(conninfo, ROWS.assign(x=77.0), schema=schema)
    assert "outside 0 to 13.4286 (95 rows)" in error.value.findings[0]
    for rows in (ROWS.assign(id=1), ROWS.drop(columns="id"), ROWS.assign(id=[None] + [1.0] * 94)):
        with pytest.raises(FoundError):
            run(conninfo, rows)
    assert scores(conninfo) == []
    assert run(conninfo, schema=schema)[0].written == 95


def test_partitions_of_a_table_come_by_value_and_in_the_order_of_the_key(conninfo: str) -> None:
    with database.connect(conninfo) as connection:
        connection.execute('CREATE TABLE "Sales" (id int, day text, x float8)')
        connection.execute("""INSERT INTO "Sales" VALUES (3,'b',.3),(2,'a',.2),(1,'b',.1)""")
    connect = partial(database.connect, conninfo)
    job = BatchJob("demo", "j", "m", "sql://Sales", key=("id",), partition_column="day")
    source = TableSource(connect, "Sales", job)
    assert source.partitions() == ["a", "b"]
    assert source.rows("b")["id"].tolist() == [1, 3]
    with pytest.raises(InputError, match="has no rows"):
        source.rows("b' OR 'a'='a")
    missing = TableSource(connect, 'Sales"; DROP TABLE batch_run; --', job)
    with pytest.raises(OperationFailed, match="does not exist"):
        missing.partitions()


def test_partitions_of_a_bucket_are_its_files_and_folders() -> None:
    class Bucket:
        held: ClassVar[dict[str, bytes]] = {
            "in/day1.csv": b"id,x\n1,0.1\n",
            "in/day2/b.csv": b"id,x\n03,0.3\n",
            "in/day2/a.csv": b"id,x\n2,0.2\n",
            "in/notes.txt": b"no table",
            "other/day3.csv": b"id,x\n",
        }

        def names(self, prefix: str) -> list[str]:
            return [key for key in self.held if key.startswith(prefix)]

        def get(self, key: str) -> bytes:
            return self.held[key]

    source = BucketSource(Bucket(), "in", "s3://b/in")
    assert source.partitions() == ["day1.csv", "day2"]
    assert source.rows("day2")["id"].tolist() == ["2", "03"]  # a code in one file, in all of them
    assert source.rows("day1.csv")["id"].tolist() == [1]
    declared = BucketSource(Bucket(), "in", "s3://b/in", ("id",))
    assert declared.rows("day1.csv")["id"].tolist() == ["1"]
    with pytest.raises(InputError, match="no such partition"):
        source.rows("day3")
