"""Stock clients that know nothing of this project, with their defaults, against a gateway.

They stand in an environment of their own: their pins of gRPC, protobuf and Starlette are not ours.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.gateway_site import Site

FOLDER = Path(__file__).resolve().parent
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the clients."""
    folder = tmp_path_factory.mktemp("foreign") / "venv"
    lock = FOLDER / "foreign_clients.lock"
    python = folder / "bin" / "python"
    for words in (
        ("venv", "-q", "--python", sys.executable, folder),
        ("pip", "sync", "-q", "--python", python, "--require-hashes", lock),
    ):
        done = subprocess.run([UV, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no foreign clients: {done.stderr.strip().splitlines()[-1]}")
    return python


@pytest.mark.parametrize("which", ["triton_http", "triton_grpc", "mlserver"])
def test_a_foreign_client_gets_what_it_expects(site: Site, foreign: Path, which: str) -> None:
    site.serve()
    site.control("1", second=True)
    script = FOLDER / "foreign_clients.py"
    words = [foreign, script, which, str(site.gateway), str(site.grpc)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
