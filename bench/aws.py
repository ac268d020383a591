"""How long the aws profile's graph takes to build, against its size.

Measured under the recording monitor that `preview --cost` uses: what the program itself needs, not
what Pulumi's engine, its plug-in or AWS add.
"""

from __future__ import annotations

import copy
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from bench.commands import ROOT
from mlops_infra.engine.aws_graph import declare

STACK = "aws-prod"
COPIES = 40
"""Endpoints of the large stack: with theirs, seven hundred resources."""
RUNS = 3


def graph_times() -> dict[str, float]:
    """Seconds per 100 resources, of the example stack and of one with many endpoints."""
    file = ROOT / "stacks" / f"Pulumi.{STACK}.yaml"
    started = time.perf_counter()
    declare(STACK, file)
    first = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="mlops-infra-bench-") as folder:
        large = Path(folder) / file.name
        large.write_text(yaml.safe_dump(_large(file)), encoding="utf-8")
        return {
            "aws_graph_first": first,
            "aws_graph": _per_hundred(file),
            "aws_graph_large": _per_hundred(large),
        }


def _per_hundred(file: Path) -> float:
    """The quickest of some runs: others only add what else this machine did."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        resources = len(declare(STACK, file))
        times.append((time.perf_counter() - started) / resources * 100)
    return min(times)


def _large(file: Path) -> dict[str, Any]:
    """The stack with many endpoints, each with its scaling, alarms and configuration."""
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    endpoints = found["config"]["mlops-infra:aws"]["endpoints"]
    for number in range(COPIES):
        endpoints[f"demand-{number}"] = copy.deepcopy(endpoints["demand"])
    return found


if __name__ == "__main__":
    print(graph_times())
