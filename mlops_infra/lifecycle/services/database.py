"""The lifecycle's tables in PostgreSQL: one schema, brought forward by numbered files.

Each file of `migrations/` runs once, in one transaction with its own line in
`lifecycle.migration`, under an advisory lock: any number of Pods may start at once, and a killed
one leaves nothing half done. There is no way back: a later file mends an earlier one. The address
and the login are libpq's own variables (PGHOST, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE), so no
text here holds a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import OperationFailed

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA = "lifecycle"
_LOCK = 0x6D6C6F7073
"""Any number, the same in every program that migrates this schema."""
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
CONNECT_SECONDS = 10
_SESSION = "-c search_path=lifecycle -c timezone=UTC -c lock_timeout=60000"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of SQL."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """What tells that a file was changed after it had run."""
        return sha256(self.sql.encode()).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """All files of `migrations/`, by number."""
    found = []
    for entry in files("mlops_infra.lifecycle.services").joinpath("migrations").iterdir():
        if match := _NAME.fullmatch(entry.name):
            sql = entry.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), entry.name, sql))
    return tuple(sorted(found, key=lambda each: each.number))


@contextmanager
def connect(conninfo: str = "", *, autocommit: bool = False) -> Iterator[Connection[Any]]:
    """A connection whose statements find the lifecycle's tables; closed at the end.

    Without `autocommit` the block is one transaction: committed at its end, else rolled back.

    Args:
        conninfo: libpq's keywords, for what the PG… variables do not say.
        autocommit: whether each statement is its own transaction.

    Raises:
        OperationFailed: the server cannot be reached, refuses, or fails on a statement.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    where = _where(conninfo)
    try:
        options = make_conninfo(conninfo, options=_SESSION, connect_timeout=CONNECT_SECONDS)
        with psycopg.connect(options, autocommit=autocommit) as connection:
            yield connection
    except psycopg.Error as error:
        raise OperationFailed(
            f"PostgreSQL: {str(error).strip().partition(chr(10))[0] or type(error).__name__}",
            where=where,
            hint="mlops-infra status -s STACK shows its Pod; the account is in Secret lifecycle-db",
        ) from error


def migrate(conninfo: str = "") -> list[str]:
    """Bring the schema to this program's version; returns the names of the files that ran.

    Raises:
        OperationFailed: the database refuses; it is newer than this program; or a file that ran
            there has another content here.
    """
    ran = []
    with connect(conninfo, autocommit=True) as connection:
        # The lock belongs to the session: it goes with a killed program.
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {SCHEMA}.migration (number int PRIMARY KEY,"
            " name text NOT NULL, digest text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
        )
        done = dict(connection.execute("SELECT number, digest FROM migration").fetchall())
        _judge(done, _where(conninfo))
        for each in migrations():
            if each.number in done:
                continue
            with connection.transaction():
                connection.execute(each.sql.encode())
                connection.execute(
                    "INSERT INTO migration (number, name, digest) VALUES (%s, %s, %s)",
                    (each.number, each.name, each.digest),
                )
            ran.append(each.name)
    return ran


def _judge(done: dict[int, str], where: str) -> None:
    known = {each.number: each for each in migrations()}
    if newer := sorted(set(done) - set(known)):
        raise OperationFailed(
            f"the tables are of a newer release: migration {newer[-1]} is unknown here",
            where=where,
            hint="use that release; tables cannot be downgraded",
        )
    if changed := [n for n, digest in done.items() if known[n].digest != digest]:
        raise OperationFailed(
            f"{known[changed[0]].name} ran there with another content",
            where=where,
            hint="migrations must not be edited: add a new file",
        )


def _where(conninfo: str) -> str:
    """Host, port and database for messages; never a password."""
    import os

    from psycopg.conninfo import conninfo_to_dict

    given = conninfo_to_dict(conninfo)
    host = given.get("host") or os.environ.get("PGHOST", "localhost")
    port = given.get("port") or os.environ.get("PGPORT", "5432")
    database = given.get("dbname") or os.environ.get("PGDATABASE", "")
    return f"{host}:{port}/{database}"
