"""The doors of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

TABLES = {
    "batch_run": (
        "(tenant, job, partition, model, data, total_rows) VALUES (%s, 'j', 'doors', 'm/1', 'd', 1)"
    ),
    "batch_score": (
        "(tenant, job, partition, row_key, model, prediction)"
        " VALUES (%s, 'j', 'doors', 'k', 'm/1', '1')"
    ),
    "trigger_state": "(tenant, trigger, watermark) VALUES (%s, 'doors', '{}')",
}
"""Of the lifecycle that a tenant writes to, with a row of the test's own."""
SEEN = (*TABLES, "prediction", "drift_result", "reference_data", "trigger_event")
FOREIGN = ("postgres", "template1", "mlflow")
"""Databases that are no tenant's business."""
REFUSED: Mapping[str, str] = {
    "make a large object": "SELECT lo_create(0)",
    "make a large object from bytes": "SELECT lo_from_bytea(0, 'x')",
    "list large objects": "SELECT oid FROM pg_largeobject_metadata",
    "make a table": "CREATE TABLE lifecycle.doors (x int)",
    "make a table in public": "CREATE TABLE public.doors (x int)",
    "make a temporary table": "CREATE TEMPORARY TABLE doors (x int)",
    "make a schema": "CREATE SCHEMA doors",
    "make a role": "CREATE ROLE doors",
    "become the owner": "SET ROLE lifecycle",
    "become the superuser": "SET ROLE postgres",
    "change a prediction": "UPDATE lifecycle.prediction SET error = 'x'",
    "switch the walls off": "ALTER TABLE lifecycle.prediction DISABLE ROW LEVEL SECURITY",
    "read a file": "SELECT pg_read_file('/etc/passwd')",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "read passwords": "SELECT rolpassword FROM pg_authid",
    "see migrations": "SELECT * FROM lifecycle.migration",
}


@dataclass(frozen=True)
class Guest:
    """One tenant."""

    tenant: str
    login: str
    """libpq's keywords for its role, without a database."""


def walk(guests: list[Guest]) -> list[str]:
    """What is open and should not be, or closed and should not be; leaves nothing behind."""
    found = []
    for guest in guests:
        others = [each.tenant for each in guests if each is not guest]
        found += [f"{guest.tenant}: {what}" for what in _of(guest, others)]
    return found


def _of(guest: Guest, others: list[str]) -> Iterator[str]:
    yield from (f"may connect to {each}" for each in FOREIGN if _opens(guest.login, each))
    yield from (f"may {what}" for what, words in REFUSED.items() if _may(guest, words))
    yield from _rows(guest, others)
    with _session(guest) as session:
        limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user"
        if session.execute(limit).fetchone() == (-1,):
            yield "may take every connection"


def _rows(guest: Guest, others: list[str]) -> Iterator[str]:
    for table in SEEN:
        query = f"SELECT count(*) FROM lifecycle.{table} WHERE tenant <> %s"  # noqa: S608 - above
        with _session(guest) as session:
            if session.execute(query, (guest.tenant,)).fetchone() != (0,):
                yield f"sees rows of others in {table}"
    for table, row in TABLES.items():
        statement = f"INSERT INTO lifecycle.{table} {row}"
        if not _may(guest, statement, guest.tenant):
            yield f"may not write its own rows to {table}"
        for other in others:
            if _may(guest, statement, other):
                yield f"writes rows of {other} to {table}"


def _opens(login: str, database: str) -> bool:
    try:
        psycopg.connect(make_conninfo(login, dbname=database)).close()
    except psycopg.OperationalError as error:
        if "permission denied for database" in str(error) or "does not exist" in str(error):
            return False
        raise
    return True


@contextmanager
def _session(guest: Guest) -> Iterator[Any]:
    with psycopg.connect(make_conninfo(guest.login, dbname="lifecycle")) as session:
        yield session
        session.rollback()


def _may(guest: Guest, statement: str, *values: str) -> bool:
    try:
        with _session(guest) as session:
            session.execute(statement.encode(), values or None)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True
