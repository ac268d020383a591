"""The installer of wheels: `uv`, which the program depends on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mlops_infra.errors import MissingError

PLATFORM = "x86_64-manylinux_2_36"
"""glibc 2.36, Debian 12's: the oldest base that carries wheels."""


def find() -> Path:
    """The `uv` beside this interpreter, or on PATH.

    Raises:
        MissingError: there is none.
    """
    folders = [str(Path(sys.executable).parent), *os.environ.get("PATH", "").split(os.pathsep)]
    for folder in folders:
        candidate = Path(folder) / "uv"
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise MissingError("uv is not installed", hint="pip install uv; in a checkout: make venv")
