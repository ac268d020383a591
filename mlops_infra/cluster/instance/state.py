"""Small JSON files that are either the old or the new one, never half of one."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlops_infra import files


def write(file: Path, value: Mapping[str, Any]) -> None:
    """Replace `file` by `value` as JSON, mode 0600, through a rename."""
    files.write(file, json.dumps(value, indent=1), mode=0o600)


def read(file: Path) -> dict[str, Any] | None:
    """The JSON object in `file`; None where the file does not exist or it was never finished."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One supervised process as last seen by the supervisor."""

    name: str
    phase: str
    """`waiting` (for what it needs), `running`, `failed` (exited, back-off) or `stopped`."""
    pid: int | None = None
    """Process id in the cluster's own process namespace (the host's where simulated)."""
    since: float | None = None
    """Seconds since the epoch of the last start."""
    exits: int = 0
    """How often it ended without being asked to since the supervisor started."""
    streak: int = 0
    """The same, counted anew once it ran well for a while."""
    last: str = ""
    """How it ended last, for example `exit code 1` or `signal 9`."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the state file and `--json`."""
        return asdict(self)


def processes(found: Mapping[str, Any] | None) -> tuple[ProcessState, ...]:
    """The processes in a state file's content."""
    return tuple(ProcessState(**entry) for entry in (found or {}).get("processes", ()))


def held(file: Path) -> bool:
    """Whether some living process holds the lock on `file`."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def hold(file: Path) -> int:
    """Lock `file` until this process ends; the descriptor is not inherited by programs.

    Raises:
        BlockingIOError: another process holds it.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor
