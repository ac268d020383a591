"""Stock clients that know nothing of this project, with their defaults, against a gateway.

They stand in an environment of their own: their pins of gRPC, protobuf and Starlette are not ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
UV = Path(sys.executable).with_name("uv")


def python(folder: Path) -> Path:
    """A Python with the clients, made in `folder`; skips where no package index has them."""
    made = folder / "venv" / "bin" / "python"
    lock = FOLDER / "foreign_clients.lock"
    for words in (
        ("venv", "-q", "--python", sys.executable, folder / "venv"),
        ("pip", "sync", "-q", "--python", made, "--require-hashes", lock),
    ):
        done = subprocess.run([UV, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no foreign clients: {done.stderr.strip().splitlines()[-1]}")
    return made


def run(program: Path, which: str, http: str, grpc: str, **variables: str) -> None:
    """Run one of the clients; what it does not expect fails the test."""
    words = [program, FOLDER / "foreign_clients.py", which, http, grpc]
    done = subprocess.run(
        words,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
