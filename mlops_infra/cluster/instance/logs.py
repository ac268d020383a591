"""Logs of the cluster's processes: bounded in size, and their last lines for error messages."""

from __future__ import annotations

import shutil
from pathlib import Path

LIMIT = 16 * 1024 * 1024
"""Bytes after which a log is moved to `<name>.1`; two files a process at most."""


def rotate(folder: Path, limit: int = LIMIT) -> None:
    """Copy logs that are too long aside and empty them.

    Their writers hold them open in append mode, so they go on at the new end. On a full disk the
    copy is given up and the log emptied all the same: room matters more.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size <= limit:
            continue
        old = log.with_name(f"{log.name}.1")
        try:
            shutil.copyfile(log, old)
        except OSError:
            old.unlink(missing_ok=True)
        with log.open("r+b") as handle:
            handle.truncate(0)


def tail(log: Path, lines: int = 12, width: int = 300) -> list[str]:
    """The last lines of a log, each cut to `width` characters; empty where there is none."""
    try:
        with log.open("rb") as handle:
            handle.seek(0, 2)
            handle.seek(max(0, handle.tell() - 64 * 1024))
            text = handle.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line[:width] for line in text.splitlines()[-lines:]]


def telling(log: Path, lines: int = 5) -> list[str]:
    """The lines near the end that look like the reason of a failure, else simply the last ones.

    klog marks errors with E and fatal ones with F; Go panics and our own say so in words.
    """
    words = ("error", "fatal", "panic", "failed", "no space", "permission", "could not be")
    found = tail(log, 60)
    reasons = [
        line
        for line in found
        if line[:2] in {"E1", "E0", "F1", "F0"} or any(word in line.lower() for word in words)
    ]
    return (reasons or found)[-lines:]
