"""Runs the program and keeps its time and its events."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.executable).with_name("mlops-infra")


@dataclass(frozen=True, slots=True)
class Done:
    """One finished command."""

    seconds: float
    events: tuple[dict[str, Any], ...]
    """What it said on stderr, one object a line."""


class MeasureError(Exception):
    """A measured command ended with an error: there is nothing to measure."""


def run(*arguments: str, env: dict[str, str] | None = None, program: Path = PROGRAM) -> Done:
    """Run one command to its end; stderr shows on ours as it comes."""
    print(f"$ {program.name} {' '.join(arguments)}", file=sys.stderr, flush=True)
    events: list[dict[str, Any]] = []
    started = time.perf_counter()
    with subprocess.Popen(
        [program, *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stderr or ():
            event = _event(line)
            if event is None or event.get("kind") in ("finished", "error"):
                print(f"  {line.rstrip()}", file=sys.stderr, flush=True)
            if event is not None:
                events.append(event)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise MeasureError(f"{' '.join(arguments)}: exit code {process.returncode}")
    return Done(seconds, tuple(events))


def median(*arguments: str, runs: int, env: dict[str, str] | None = None) -> float:
    """Median wall time of a quick command over `runs` runs, after one that does not count."""
    times = [run(*arguments, env=env).seconds for _ in range(runs + 1)]
    return statistics.median(times[1:])


def until(events: tuple[dict[str, Any], ...], first: str, last: str) -> float | None:
    """Seconds from the start of the step `first` to the end of the step `last`."""
    begun = [e["at"] for e in events if e["kind"] == "started" and e["title"] == first]
    ended = [e["at"] for e in events if e["kind"] == "finished" and e["title"] == last]
    return ended[-1] - begun[0] if begun and ended else None


def _event(line: str) -> dict[str, Any] | None:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) and "kind" in read else None
