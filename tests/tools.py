"""Programs that only tests use, each in an environment of its own: their pins bind nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlops_infra import places


def environment(requirement: str) -> Path:
    """Folder of the programs of `name==version` from PyPI; made once and kept in the cache."""
    name = requirement.replace("==", "-")
    python = f"py{sys.version_info[0]}{sys.version_info[1]}"
    folder = places.cache() / "test-tools" / f"{name}-{python}"
    if not (folder / "complete").exists():
        uv = [str(Path(sys.executable).parent / "uv")]
        subprocess.run([*uv, "venv", "-q", "--clear", "-p", sys.executable, folder], check=True)
        target = folder / "bin" / "python"
        subprocess.run([*uv, "pip", "install", "-q", "-p", target, requirement], check=True)
        (folder / "complete").touch()
    return folder / "bin"
