"""Other releases of this program, run from their own files against the same data and stack."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

from tests.e2e.platform import PATIENCE, ROOT, Platform, told

FOUNDATION = "be9a03e"
"""The commit that the first release of this project stands at."""
_PARTS = ("charts", "go", "mlops_infra", "recipes", "stacks")
_FILES = ("Pulumi.yaml", "pyproject.toml", "requirements.lock")
_VERSION = re.compile(r'__version__ = "(.*)"')


def foundation(folder: Path) -> Path:
    """Its files; the test is skipped where this copy has no history."""
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", FOUNDATION], capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"no commit {FOUNDATION} here: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as held:
        held.extractall(folder, filter="data")
    return folder


def copied(folder: Path) -> Path:
    """This release in files of its own, which a test may change."""
    ignored = shutil.ignore_patterns("__pycache__")
    for part in _PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for name in _FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def next_one(folder: Path) -> Path:
    """This release again under the next version: its image and all labels are new."""
    copied(folder)
    file = folder / "mlops_infra" / "__init__.py"
    text = file.read_text("utf-8")
    file.write_text(_VERSION.sub(lambda found: f'__version__ = "{found[1]}.post1"', text), "utf-8")
    return folder


def run(release: Path, platform: Platform, *words: str) -> str:
    """Run a command of that release, which must succeed; what it wrote to stdout."""
    done = subprocess.run(
        [_python(release), "-c", "from mlops_infra.cli.main import main; main()", *words],
        cwd=release,
        env={**os.environ, **platform.env},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, told(done)
    return done.stdout


def _python(release: Path) -> str:
    """An interpreter that finds that release and what it needs, and never the one under test.

    `PYTHONPATH` would not do: what outlives a command, the supervisor of the cluster, is started
    without it (`-I`).
    """
    folder = release / ".venv"
    if not folder.exists():
        venv.create(folder, symlinks=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
        # as plain lines: the second folder's own `.pth` files, which name this copy, are not read
        lines = [str(release), sysconfig.get_path("purelib")]
        (site / "release.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder / "bin" / "python")
