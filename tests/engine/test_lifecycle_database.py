"""The lifecycle's tables on a real PostgreSQL: brought forward once, and walled between tenants."""

from __future__ import annotations

import threading

import psycopg
import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.services import database


def empty(server: str, name: str) -> str:
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server} dbname={name}"


def test_many_at_once_run_every_file_once(postgresql: str) -> None:
    where = empty(postgresql, "many")
    ran: list[list[str]] = []
    threads = [threading.Thread(target=lambda: ran.append(database.migrate(where))) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran, key=len)[-1] == [each.name for each in database.migrations()]
    assert sum(map(bool, ran)) == 1


def test_a_newer_or_an_edited_schema_is_refused(postgresql: str) -> None:
    where = empty(postgresql, "newer")
    database.migrate(where)
    with database.connect(where) as connection:
        connection.execute("UPDATE migration SET digest = 'x' WHERE number = 1")
    with pytest.raises(OperationFailed, match="another content"):
        database.migrate(where)
    with database.connect(where) as connection:
        connection.execute("INSERT INTO migration VALUES (9999, '9999_later.sql', 'y')")
    with pytest.raises(OperationFailed, match="newer release"):
        database.migrate(where)


def test_a_broken_file_leaves_nothing(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where = empty(postgresql, "broken")
    broken = database.Migration(9000, "9000_broken.sql", "CREATE TABLE half (a int); SELECT 1/0")
    known = database.migrations()
    monkeypatch.setattr(database, "migrations", lambda: (*known, broken))
    with pytest.raises(OperationFailed, match="division by zero"):
        database.migrate(where)
    monkeypatch.undo()
    with database.connect(where) as connection:
        found = connection.execute("SELECT to_regclass('half'), count(*) FROM migration").fetchone()
    assert found == (None, len(known))
    assert database.migrate(where) == []


def test_a_tenant_sees_its_own_rows_alone(postgresql: str) -> None:
    where = empty(postgresql, "walls")
    database.migrate(where)
    with psycopg.connect(where, autocommit=True) as connection:
        for role in ("tenant_a_b", "tenant_other"):
            connection.execute(f"CREATE ROLE {role} LOGIN")
    score = (
        "INSERT INTO batch_score (job, partition, row_key, tenant, model, prediction)"
        " VALUES ('j', 'p', 'k', 'a-b', 'm/1', '1')"
    )
    own = where.replace("user=postgres", "user=tenant_a_b")
    with database.connect(own) as connection:
        connection.execute(score)
    other = where.replace("user=postgres", "user=tenant_other")
    with database.connect(other) as connection:
        assert connection.execute("SELECT count(*) FROM batch_score").fetchone() == (0,)
    with pytest.raises(OperationFailed, match="row-level security"), database.connect(other) as c:
        c.execute(score)
    with pytest.raises(OperationFailed, match="permission denied"), database.connect(other) as c:
        c.execute("DELETE FROM prediction")
    with pytest.raises(OperationFailed, match="must be owner"), database.connect(other) as c:
        c.execute("DROP TABLE prediction")
