"""Runs our way and the others' in turn and compares them within each turn.

A shared machine is now fast, now slow: what ran in the same turn had the same weather. `ratio` is
the median over the turns of (fastest other in the turn) / (ours in the turn).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a way of doing it has cost."""

    seconds: float
    """Wall time of all its commands."""
    cpu: float
    """Seconds of processor of its commands; what the registry took is not in it."""
    peak: float
    """Largest resident set of one of its commands, MB."""


def run(commands: Sequence[Sequence[str]], home: Path) -> Taken:
    """Run `commands` one after the other, with `home` as an empty HOME: nothing is known yet."""
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    peak = cpu = 0.0
    begun = time.perf_counter()
    for command in commands:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"bench: {command[0]} ended with {process.returncode}")
        peak = max(peak, usage.ru_maxrss / 1024)
        cpu += usage.ru_utime + usage.ru_stime
    return Taken(time.perf_counter() - begun, cpu, peak)


def compared(turns: Sequence[dict[str, Taken]]) -> dict[str, object]:
    """Seconds of each, processor time of each, and how often the fastest other takes our time."""
    names = list(turns[0])
    ratios = [
        min(taken.seconds for who, taken in turn.items() if who != OURS) / turn[OURS].seconds
        for turn in turns
    ]
    return {
        "seconds": {who: _median([turn[who].seconds for turn in turns]) for who in names},
        "best_seconds": {who: round(min(t[who].seconds for t in turns), 2) for who in names},
        "cpu_seconds": {who: _median([turn[who].cpu for turn in turns]) for who in names},
        "ratios": [round(each, 2) for each in ratios],
        "ratio_to_fastest": _median(ratios),
        "peak_memory_mb": round(max(turn[OURS].peak for turn in turns), 1),
    }


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 2)
