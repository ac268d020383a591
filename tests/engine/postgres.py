"""A real PostgreSQL for tests: own folder, own free port on loopback, gone afterwards.

Root runs the server of this project's own image, anybody else the one of the machine.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_USER = 999
"""Of the image; PostgreSQL refuses to be root."""
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "unix_socket_directories": "",
    # an unpacked image has no /dev/shm
    "dynamic_shared_memory_type": "mmap",
}


@dataclass(frozen=True)
class _Programs:
    """How to start PostgreSQL's programs, and its folder of data as they see it."""

    before: tuple[str, ...]
    folder: str
    data: str

    def words(self, program: str, *more: str) -> list[str]:
        return [*self.before, f"{self.folder}/{program}", "-D", self.data, *more]


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Start a server and give libpq's keywords for its superuser; skip where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    programs = _of_image(folder) if os.geteuid() == 0 else _of_machine(folder)
    initdb = programs.words("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
    made = subprocess.run(initdb, cwd="/", capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")]
    process = subprocess.Popen(
        programs.words("postgres", "-p", str(port), *options),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _ready(f"host=127.0.0.1 port={port} user=postgres", process)
    finally:
        process.terminate()
        process.wait(20)


def _of_image(folder: Path) -> _Programs:
    from mlops_infra import images
    from mlops_infra.progress import quiet

    root = folder / "image"
    images.unpack(images.build("postgresql", quiet), root)
    for name, number in (("null", 3), ("urandom", 9)):
        device = root / "dev" / name
        device.parent.mkdir(exist_ok=True)
        os.mknod(device, 0o20666, os.makedev(1, number))
        device.chmod(0o666)
    owner = f"{_USER}:{_USER}"
    before = ("chroot", f"--userspec={owner}", "--groups=", str(root))
    return _Programs(before, "/usr/lib/postgresql/17/bin", "/var/lib/postgresql/data/tests")


def _of_machine(folder: Path) -> _Programs:
    found = shutil.which("initdb") or next(
        iter(sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))), None
    )
    if found is None:
        pytest.skip("not root and no PostgreSQL on this machine: its programs initdb and postgres")
    return _Programs((), str(Path(found).parent), str(folder / "data"))


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

    from mlops_infra.lifecycle.services import database

    with psycopg.connect(conninfo, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database.migrate(f"{conninfo} dbname={name}")
    return f"{conninfo} dbname={name}"
