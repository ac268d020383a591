"""A real PostgreSQL for tests: own folder, own free port on loopback, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NOBODY = 65534
"""PostgreSQL refuses to be root."""


def _program(name: str) -> Path | None:
    found = shutil.which(name)
    if found:
        return Path(found)
    return next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Start a server and give libpq's keywords for its superuser; skip where there is none."""
    programs = {name: _program(name) for name in ("initdb", "postgres")}
    if None in programs.values():
        pytest.skip("no PostgreSQL on this machine: its programs initdb and postgres")
    root = os.geteuid() == 0
    who: dict[str, int] = {"user": _NOBODY, "group": _NOBODY} if root else {}
    data = folder / "data"
    data.mkdir(parents=True)
    if root:
        os.chown(data, _NOBODY, _NOBODY)
        for above in data.parents:
            if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o011)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {"cwd": data, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **who}
    initdb = [str(programs["initdb"]), "-D", str(data), "-U", "postgres", "-A", "trust"]
    subprocess.run([*initdb, "--no-sync", "-E", "UTF8"], check=True, **common)  # type: ignore[call-overload]
    settings = {"listen_addresses": "127.0.0.1", "fsync": "off", "unix_socket_directories": ""}
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    process = subprocess.Popen(
        [str(programs["postgres"]), "-D", str(data), "-p", str(port), *options],
        **common,  # type: ignore[call-overload]
    )
    try:
        yield _ready(f"host=127.0.0.1 port={port} user=postgres", process)
    finally:
        process.terminate()
        process.wait(20)


def _ready(conninfo: str, process: subprocess.Popen[bytes]) -> str:
    import time

    import psycopg

    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(conninfo, dbname="postgres").close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL has ended"
            assert time.monotonic() < until, "PostgreSQL does not answer"
            time.sleep(0.1)
        else:
            return conninfo


def fresh(conninfo: str, name: str) -> str:
    """An empty database with the lifecycle's tables."""
    import psycopg

    from mlops_infra.lifecycle import database

    with psycopg.connect(conninfo, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database.migrate(f"{conninfo} dbname={name}")
    return f"{conninfo} dbname={name}"
