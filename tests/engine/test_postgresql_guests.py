"""The Job that makes the accounts of databases, run as its Pod runs it, on a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from mlops_infra import places
from mlops_infra.backup import store_drift
from mlops_infra.backup.postgres import rows_of
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.services import database
from mlops_infra.plan import Literal, SecretSpec
from tests.doors import sql
from tests.engine import postgres

FILES = places.project() / "charts" / "postgresql" / "files"
PATH = "/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/bin"
DATABASE = "lifecycle"
ROW = (
    "INSERT INTO batch_score (job, partition, row_key, tenant, model, prediction)"
    " VALUES ('j', 'p', 'k', %s, 'm/1', '1')"
)


class InProcess(StoreAccess):
    """The server of the test instead of one in a Pod."""

    def execute(self, pod: str, container: str, *command: str) -> list[str]:
        port = conninfo_to_dict(self.kubectl[0])["port"]
        words = ["--host=127.0.0.1" if each.startswith("--host=") else each for each in command]
        return ["env", f"PATH={PATH}", f"PGPORT={port}", *words]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    if os.geteuid() != 0:
        pytest.skip("the Job's files stand at fixed places of its image: needs root")
    folder = tmp_path_factory.mktemp("guests")
    with postgres.server(folder) as conninfo:
        root = folder / "image"
        for file in FILES.glob("*.s*"):
            _written(root / "etc" / "postgresql" / file.name, file.read_text("utf-8"))
        _secret(root, "admin", username="postgres", password="unused")
        _secret(root, "databases/lifecycle-db", username="lifecycle", password="l")
        yield root, conninfo


def declared(server: tuple[Path, str], guests: Mapping[str, str]) -> str:
    """Run the Job for tenants and their `onRemoval`; what it logs."""
    root, conninfo = server
    for name in guests:
        role = f"tenant_{name.replace('-', '_')}"
        _secret(root, f"guests/tenant-{name}-db", username=role, password="g")
    lines = [f"tenant-{name}-db {wish}" for name, wish in guests.items()]
    env = {
        "PATH": PATH,
        "PGHOST": "127.0.0.1",
        "PGPORT": conninfo_to_dict(conninfo)["port"],
        "DECLARED": "\n".join(lines),
    }
    done = subprocess.run(
        ["chroot", str(root), "sh", "/etc/postgresql/databases.sh"],
        env={key: str(value) for key, value in env.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_tenants_rows_stay_or_go_as_it_was_declared(server: tuple[Path, str]) -> None:
    declared(server, {"kept": "archive", "a-b": "purge", "stays": "purge"})
    where = f"{server[1]} dbname={DATABASE}"
    database.migrate(where)
    with database.connect(where) as connection:
        for name in ("kept", "a-b", "stays"):
            connection.execute(ROW, (name,))
    store = InProcess(stack="one", kubectl=(server[1],), sql_password="unused")
    told = {name: rows_of(store, name) for name in ("kept", "a-b", "nobody")}
    assert told == {"kept": (1, "archive"), "a-b": (1, "purge"), "nobody": (0, "archive")}
    with pytest.raises(InputError):
        rows_of(store, "x' OR 'a' = 'a")
    with psycopg.connect(f"{server[1]} dbname={DATABASE}", user="tenant_a_b") as session:
        told = declared(server, {"stays": "purge"})
        assert "tenant_a_b" in told
        assert "tenant_kept" not in told
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    with database.connect(where) as connection:
        found = connection.execute("SELECT tenant FROM batch_score ORDER BY 1").fetchall()
    assert found == [("kept",), ("stays",)]
    for role in ("tenant_kept", "tenant_a_b"):
        refused = where.replace("user=postgres", f"user={role}")
        with (
            pytest.raises(OperationFailed, match="not permitted to log in"),
            database.connect(refused),
        ):
            pass


def test_rows_are_deleted_once_and_never_those_of_a_tenant_that_came_back(
    server: tuple[Path, str],
) -> None:
    where = f"{server[1]} dbname={DATABASE}"
    declared(server, {"again": "purge"})
    assert "again" in declared(server, {})
    assert "again" not in declared(server, {})
    declared(server, {"again": "archive"})
    database.migrate(where)
    with database.connect(where) as connection:
        connection.execute(ROW, ("again",))
    assert "again: its rows" not in declared(server, {})
    with database.connect(where) as connection:
        query = "SELECT count(*) FROM batch_score WHERE tenant = 'again'"
        assert connection.execute(query).fetchone() == (1,)


def test_every_door_opens_or_stays_closed_as_declared(server: tuple[Path, str]) -> None:
    """Also after somebody has opened some by hand, once the Job has run again."""
    where = f"{server[1]} dbname={DATABASE}"
    guests = {"first": "archive", "second": "archive"}
    declared(server, guests)
    database.migrate(where)
    with database.connect(where) as connection:
        connection.execute("GRANT lifecycle TO tenant_first")
        connection.execute("ALTER ROLE tenant_second BYPASSRLS CREATEROLE")
        connection.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
        for name in guests:
            connection.execute(ROW, (name,))
    doors = [
        sql.Guest(name, server[1].replace("user=postgres", f"user=tenant_{name}"))
        for name in guests
    ]
    opened = " ".join(sql.walk(doors))
    for what in ("first: may become the owner", "second: sees rows", "first: may connect to pos"):
        assert what in opened
    declared(server, guests)
    assert sql.walk(doors) == []
    declared(server, {})


def test_what_was_changed_by_hand_is_named(
    server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    declared(server, {"named": "archive"})
    own = {"username": Literal("lifecycle"), "database": Literal(DATABASE)}
    guest = {"username": Literal("tenant_named"), "database": Literal(DATABASE)}
    component = SimpleNamespace(
        name="postgresql",
        simulated=False,
        secrets=(
            SecretSpec("lifecycle-db", "mlops-stores", own),
            SecretSpec("tenant-named-db", "mlops-stores", guest),
        ),
        values={
            "databases": [{"secret": "lifecycle-db"}],
            "guests": [{"secret": "tenant-named-db"}],
        },
    )
    plan: Any = SimpleNamespace(components=(component,), component=lambda _: component)

    def ask(_: StoreAccess, query: str) -> str:
        with psycopg.connect(f"{server[1]} dbname=postgres") as session:
            rows = session.execute(query.encode()).fetchall()
        plain = {None: "", True: "t", False: "f"}
        return "\n".join("|".join(plain.get(c, c) for c in row) for row in rows)

    def found() -> tuple[str, ...]:
        drift = store_drift(StoreAccess("s", (), sql_password="x"), plan)
        assert drift.notes == ()
        return drift.found

    monkeypatch.setattr("mlops_infra.backup.postgres.ask", ask)
    assert found() == ()
    with psycopg.connect(f"{server[1]} dbname={DATABASE}") as session:
        session.execute("ALTER ROLE lifecycle NOLOGIN SUPERUSER")
        session.execute("GRANT pg_read_all_data TO tenant_named")
        session.execute("GRANT CONNECT ON DATABASE template1 TO PUBLIC")
        session.execute("ALTER DATABASE lifecycle OWNER TO postgres")
    assert found() == (
        "PostgreSQL: role lifecycle may not sign in",
        "PostgreSQL: role lifecycle has rights of an administrator",
        "PostgreSQL: role tenant_named has the rights of pg_read_all_data",
        "PostgreSQL: database lifecycle belongs to postgres",
        "PostgreSQL: database template1 is open to every role",
    )
    declared(server, {"named": "archive"})
    assert found() == ()


def _secret(root: Path, name: str, **keys: str) -> None:
    for key, value in {**keys, "database": DATABASE}.items():
        _written(root / "run" / "secrets" / name / key, value)


def _written(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
