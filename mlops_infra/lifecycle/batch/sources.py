"""The partitions of a batch job's source, and the rows of one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.batch.job import BatchJob
from mlops_infra.lifecycle.data import csv_table
from mlops_infra.lifecycle.data.parquet import from_parquet

if TYPE_CHECKING:
    import pandas as pd
    from psycopg import Connection

WHOLE = "all"
"""The one partition of a table without a column that tells them."""
MOST_ROWS = 5_000_000
"""Of one partition: it is held in memory."""
_SUFFIXES = (".csv", ".parquet")
Connect = Callable[[], AbstractContextManager["Connection[Any]"]]


class Source(Protocol):
    """Where rows come from."""

    def partitions(self) -> list[str]:
        """Names of all partitions, in order."""

    def rows(self, partition: str) -> pd.DataFrame:
        """The rows of one, in the same order every time; InputError where there is none."""


class Bucket(Protocol):
    """The part of a bucket that a source needs."""

    def names(self, prefix: str) -> list[str]:
        """Keys that begin with `prefix`."""

    def get(self, key: str) -> bytes:
        """One object."""


def source(
    job: BatchJob,
    bucket: Callable[[str], Bucket],
    connect: Connect,
    *,
    texts: Collection[str] = (),
) -> Source:
    """The source that the job names; `texts` are columns of texts, whatever a CSV file looks like.

    Raises:
        InputError: it is neither `s3://` nor `sql://`.
    """
    scheme, _, rest = job.source.partition("://")
    if scheme == "s3":
        name, _, prefix = rest.partition("/")
        return BucketSource(bucket(name), prefix, job.source, texts)
    if scheme == "sql":
        return TableSource(connect, rest, job)
    raise InputError(f"'{job.source}' is not a source", hint="s3://bucket/prefix or sql://table")


class BucketSource:
    """Files below a prefix: each file, or each folder of files, is a partition."""

    def __init__(
        self, bucket: Bucket, prefix: str, where: str, texts: Collection[str] = ()
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix.rstrip("/") + "/" if prefix else ""
        self._where = where
        self._texts = texts

    def partitions(self) -> list[str]:
        """Names of all partitions, in order."""
        return sorted(self._files())

    def rows(self, partition: str) -> pd.DataFrame:
        """The rows of one: its files one after the other, by name."""
        import pandas as pd

        keys = self._files().get(partition)
        if not keys:
            raise InputError(f"no such partition: '{partition}'", where=self._where)
        frames = self._read(sorted(keys))
        rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
        return _bounded(rows, partition, self._where)

    def _files(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key in self._bucket.names(self._prefix):
            if PurePosixPath(key).suffix.lower() in _SUFFIXES:
                found.setdefault(key.removeprefix(self._prefix).partition("/")[0], []).append(key)
        return found

    def _read(self, keys: list[str]) -> list[pd.DataFrame]:
        bodies = [(self._bucket.get(key), f"{self._where}: {key}") for key in keys]
        texts = [each for each in bodies if each[1].lower().endswith(".csv")]
        rows = iter(csv_table.each(texts, texts=self._texts)[0] if texts else [])
        return [next(rows) if each in texts else from_parquet(*each) for each in bodies]


class TableSource:
    """A table or view of PostgreSQL; the values of one column tell its partitions."""

    def __init__(self, connect: Connect, table: str, job: BatchJob) -> None:
        self._connect = connect
        self._table = table
        self._job = job

    def partitions(self) -> list[str]:
        """Names of all partitions, in order."""
        from psycopg import sql

        if self._job.partition_column is None:
            return [WHOLE]
        query = sql.SQL("SELECT DISTINCT {0}::text FROM {1} WHERE {0} IS NOT NULL ORDER BY 1")
        with self._connect() as connection:
            rows = connection.execute(
                query.format(sql.Identifier(self._job.partition_column), self._name())
            ).fetchall()
        return [str(row[0]) for row in rows]

    def rows(self, partition: str) -> pd.DataFrame:
        """The rows of one, ordered by their key."""
        import pandas as pd
        from psycopg import sql

        column = self._job.partition_column
        chosen = sql.SQL("") if column is None else sql.SQL("WHERE {}::text = %s")
        query = sql.SQL("SELECT * FROM {} {} ORDER BY {} LIMIT {}").format(
            self._name(),
            chosen.format(sql.Identifier(column)) if column is not None else chosen,
            sql.SQL(", ").join(map(sql.Identifier, self._job.key)),
            sql.Literal(MOST_ROWS + 1),
        )
        with self._connect() as connection:
            cursor = connection.execute(query, None if column is None else (partition,))
            names = [field.name for field in cursor.description or ()]
            rows = pd.DataFrame(cursor.fetchall(), columns=names)
        if rows.empty:
            raise InputError(f"partition '{partition}' has no rows", where=self._job.source)
        return _bounded(rows, partition, self._job.source)

    def _name(self) -> Any:
        from psycopg import sql

        return sql.Identifier(*self._table.split("."))


def _bounded(rows: pd.DataFrame, partition: str, where: str) -> pd.DataFrame:
    if len(rows) > MOST_ROWS:
        raise InputError(
            f"partition '{partition}' has more than {MOST_ROWS} rows",
            where=where,
            hint="split it by a column or into more files",
        )
    return rows
