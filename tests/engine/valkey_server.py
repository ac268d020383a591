"""A real Valkey for tests: the image's own program, on a free port of loopback, gone afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "only-for-tests"
Valkey = tuple[str, subprocess.Popen[bytes]]
"""URL and process."""


@contextmanager
def server(
    folder: Path,
    *,
    start: str | None = None,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    account_keys: str = "",
) -> Iterator[Valkey]:
    """Start a server; gives its URL and its process. Skips where nobody is root: it is chrooted.

    Args:
        folder: where the image is unpacked.
        start: the chart's script that starts it; None: with one password and no accounts.
        secrets: files below /run/secrets that the script reads.
        account_keys: what the script reads of the environment.
    """
    if os.geteuid() != 0:
        pytest.skip("not root, so Valkey's image cannot be unpacked and run")
    from mlops_infra import images
    from mlops_infra.progress import quiet

    root = folder / "valkey"
    images.unpack(images.build("valkey", quiet), root)
    for name, number in (("null", 3), ("urandom", 9)):
        device = root / "dev" / name
        device.parent.mkdir(exist_ok=True)
        if not device.exists():
            os.mknod(device, 0o20666, os.makedev(1, number))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"bind": "127.0.0.1", "port": str(port), "requirepass": PASSWORD, "save": ""}
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    program = ["/usr/bin/valkey-server", *words]
    if start is not None:
        lines = f'bind 127.0.0.1\nport {port}\naclfile /run/valkey/users.acl\nsave ""\n'
        _write(root / "etc/valkey/valkey.conf", lines)
        _write(root / "etc/valkey/start.sh", start)
        (root / "run/valkey").mkdir(parents=True, exist_ok=True)
        for name, keys in (secrets or {}).items():
            for key, value in keys.items():
                _write(root / "run/secrets" / name / key, value)
        program = ["/bin/sh", "/etc/valkey/start.sh"]
    process = subprocess.Popen(
        ["chroot", str(root), *program],
        cwd="/",
        env={**os.environ, "ACCOUNT_KEYS": account_keys},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_listening(port, process)
        yield f"redis://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait(20)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "Valkey has ended"
            assert time.monotonic() < until, "Valkey does not answer"
            time.sleep(0.05)
        else:
            return
