"""Which Git commit a file or a folder belongs to."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

SECONDS = 10
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


def commit_of(file: Path) -> str | None:
    """The commit of the work tree that holds `file`, `-dirty` behind it where the file differs.

    None where there is no Git or no commit: that is not an error, there is just nothing to record.
    """
    return _commit(file.resolve().parent, file.name)


def commit_here() -> str | None:
    """The same for the folder that this process works in, with all that is below it."""
    return _commit(Path.cwd(), ".")


def _commit(folder: Path, path: str) -> str | None:
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None or not _COMMIT.fullmatch(commit):
        return None
    changed = _git(folder, "status", "--porcelain", "--", path)
    return commit if changed == "" else f"{commit}-dirty"


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
