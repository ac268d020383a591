"""Memory of the whole sandbox: control plane, node and every Pod."""

from __future__ import annotations

from pathlib import Path


def proportional(pids: set[int]) -> int:
    """Sum of the proportional set sizes in bytes: shared pages count once over all processes."""
    return sum(_of(pid) for pid in pids)


def _of(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0  # ended while we looked
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
