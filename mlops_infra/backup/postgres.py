"""Dumps and restores the databases of the managed PostgreSQL, with the tools of its own image."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from mlops_infra import contract, files
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import FoundError, InputError, OperationFailed

POD, CONTAINER = "postgresql-0", "server"
_SOCKET = "--host=/run/postgresql"
# The first line of standard input is the password: it stands in no argument and no variable of
# kubectl's, and `read` of a POSIX shell leaves the rest of the stream to the program.
_LOGGED_IN = 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec "$@"'
_CHUNK = 1 << 20
_TENANT = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_COUNTING = 20
"""Seconds."""
_NOTED = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{}'"
# the tables that purged.sql of the chart deletes from
_ROWS = """SET statement_timeout = '{seconds}s';
SELECT sum((xpath('/row/c/text()', query_to_xml(format(
  'SELECT count(*) AS c FROM %I.%I WHERE tenant = %L', table_schema, table_name, '{tenant}'
), false, true, '')))[1]::text::bigint)
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE column_name = 'tenant' AND table_type = 'BASE TABLE'"""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}';"
_LIST = (
    "SELECT datname, pg_get_userbyid(datdba) FROM pg_database "
    "WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname"
)


def databases(access: StoreAccess) -> dict[str, str]:
    """Every database of the platform and its owner.

    Raises:
        OperationFailed: the server does not answer.
    """
    told = _psql(access, "postgres", _LIST)
    return dict(line.split("|") for line in told.splitlines() if line)


def rows_of(access: StoreAccess, tenant: str) -> tuple[int, str]:
    """How many rows say that they are a tenant's, and what `onRemoval` is noted for it.

    Raises:
        InputError: that is not the name of a tenant.
        OperationFailed: the server does not answer, or counts for longer than `_COUNTING`.
    """
    if not _TENANT.fullmatch(tenant):
        raise InputError(f"not a tenant's name: {tenant[:80]!r}")
    role = f"tenant_{tenant.replace('-', '_')}"
    noted = _psql(access, "postgres", _NOTED.format(role)).strip()
    fate = "purge" if "purge" in noted else "archive"
    count = _ROWS.format(seconds=_COUNTING, tenant=tenant)
    told = (_psql(access, name, count).strip() for name in databases(access))
    return sum(int(each or 0) for each in told), fate


def dump(access: StoreAccess, database: str, file: Path) -> None:
    """Write one database to `file`, in `pg_dump`'s custom format.

    Raises:
        OperationFailed: `pg_dump` failed; no file is left under the name.
    """
    words = _command(access, "pg_dump", "--format=custom", "--no-password", f"--dbname={database}")
    with files.replacing(file, mode=0o600) as out:
        _run(access, words, what=f"dump of database {database}", stdout=out)


def restore(access: StoreAccess, database: str, owner: str, file: Path) -> None:
    """Put the dump in the place of `database`.

    It is restored beside the one that is there and takes its name in one transaction, so that an
    interrupted restore leaves the old database as it was.

    Raises:
        FoundError: the backup names a database that no server of this kit has.
        OperationFailed: the server refused, or does not know the owner.
    """
    for name in (database, owner):
        if not _NAME.fullmatch(name):
            raise FoundError("the backup has an entry that is not a database", [name[:80]])
    fresh, before = f"{database}__restoring", f"{database}__before"
    for name in (fresh, before):
        _psql(access, "postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _psql(access, "postgres", f'CREATE DATABASE "{fresh}" OWNER "{owner}"')
    _psql(access, "postgres", f'REVOKE ALL ON DATABASE "{fresh}" FROM PUBLIC')
    options = ("--no-owner", f"--role={owner}", "--exit-on-error", "--single-transaction")
    words = _command(access, "pg_restore", "--no-password", *options, f"--dbname={fresh}")
    with file.open("rb") as body:
        _run(access, words, what=f"restore of database {database}", stdin=body.read)
    renames = [f'ALTER DATABASE "{fresh}" RENAME TO "{database}";']
    if database in databases(access):
        renames.insert(0, f'ALTER DATABASE "{database}" RENAME TO "{before}";')
    # a name of a database or role cannot be a parameter; both were checked above
    _psql(
        access, "postgres", f"{_END_SESSIONS.format(database)} BEGIN; {' '.join(renames)} COMMIT;"
    )
    _psql(access, "postgres", f'DROP DATABASE IF EXISTS "{before}" WITH (FORCE)')


def ask(access: StoreAccess, query: str) -> str:
    """What the server answers to the superuser: a line for each row, `|` between columns.

    Raises:
        OperationFailed: it does not answer, or refuses.
    """
    return _psql(access, "postgres", query)


def _psql(access: StoreAccess, database: str, statements: str) -> str:
    words = _command(
        access, "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
        "--set=ON_ERROR_STOP=1", f"--dbname={database}",
    )  # fmt: skip
    script = iter([statements.encode(), b""])
    return _run(access, words, what="a statement", stdin=lambda _: next(script)).decode()


def _command(access: StoreAccess, program: str, *options: str) -> list[str]:
    return access.execute(
        POD, CONTAINER, "sh", "-c", _LOGGED_IN, "sh",
        program, _SOCKET, f"--username={access.sql_user}", *options,
    )  # fmt: skip


def _run(
    access: StoreAccess,
    words: list[str],
    *,
    what: str,
    stdin: Callable[[int], bytes] | None = None,
    stdout: IO[bytes] | None = None,
) -> bytes:
    """Run `words`; feed it the password and then what `stdin` gives, chunk by chunk."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=stdout or subprocess.PIPE, stderr=said
        ) as process,
    ):
        assert process.stdin is not None  # noqa: S101 - asked for above
        try:
            process.stdin.write(f"{access.sql_password}\n".encode())
            while stdin and (chunk := stdin(_CHUNK)):
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended early: its exit code and its words below tell why
        told = process.stdout.read() if process.stdout else b""
        code = process.wait()
        said.seek(0)
        if code:
            raise OperationFailed(
                f"{what} failed: {_last(said.read())}",
                where=f"Pod {contract.STORES_NAMESPACE}/{POD}",
                hint=f"mlops-infra status -s {access.stack} shows the Pod",
            )
    return told


def _last(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    # kubectl's own closing line tells only the exit code
    told = [line for line in lines if not line.startswith("command terminated")]
    return (told or lines or ["no reason given"])[-1]
