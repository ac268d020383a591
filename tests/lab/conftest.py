"""Where the laboratory is; without it, or without terraform, these tests say so and are skipped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

VARIABLE = "AWS_LAB"

Lab = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def lab() -> Lab:
    """Runs the laboratory's command with arguments; its output is kept and printed."""
    found = os.environ.get(VARIABLE)
    if not found or not Path(found).exists():
        pytest.skip(f"${VARIABLE} names no aws-lab: the real Terraform provider is not tried")
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH: the real Terraform provider is not tried")
    command = str(Path(found) / "awslab" if Path(found).is_dir() else found)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
        sys.stdout.write(f"\n$ awslab {arguments[0]}\n{done.stdout}{done.stderr}")
        return done

    return run


@pytest.fixture
def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
