"""The figures, their goals, and how a run is told."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

PEERS = (
    "No peer is measured beside the platform: nothing else brings a whole one to a machine without "
    "Docker, a cluster or an image registry. Bundles are measured against crane, regctl and skopeo."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    key: str
    title: str
    unit: str
    goal: float | None
    """Not to be exceeded, on 2 cores; None where there is no promise."""


FIGURES = (
    Figure("up_cold", "`make up STACK=core`, empty caches: everything is compiled", "min", 20),
    Figure("up_warm", "`make up STACK=core`, warm caches, to all Pods Ready", "s", 90),
    Figure("control_plane", "control plane ready", "s", 10),
    Figure("node", "node ready, from the same start", "s", None),
    Figure("up_again", "`mlops-infra up -s core` with nothing to change", "s", 15),
    Figure("verify", "`mlops-infra verify -s core`", "s", None),
    Figure("memory", "memory of the whole core (PSS)", "GB", 3),
    Figure("down", "`make down STACK=core`", "s", None),
    Figure("whole_up_cold", "`make up` (sandbox: everything), empty caches", "min", 20),
    Figure("whole_up_warm", "`make up` (sandbox: everything), warm caches", "s", None),
    Figure("whole_up_again", "`mlops-infra up -s sandbox` with nothing to change", "s", None),
    Figure("whole_verify", "`make verify`: the whole life of a model", "s", 600),
    Figure("whole_memory", "memory of the whole sandbox (PSS)", "GB", 8),
    Figure("whole_down", "`make down`", "s", None),
    Figure("aws_graph_first", "graph of aws-prod, first build (imports the SDK)", "s", None),
    Figure("aws_graph", "graph of aws-prod, per 100 resources", "s", 1),
    Figure("aws_graph_large", "graph with 40 endpoints more, per 100 resources", "s", 1),
    Figure("aws_teardown_small", "teardown of 10 things on AWS (emulator)", "s", None),
    Figure("aws_teardown_large", "teardown of 200 things on AWS (emulator)", "s", None),
    Figure("aws_versions", "versions removed from a bucket (emulator)", "1/s", None),
    Figure("bare_per_second", "online: a bare MLServer process on one core", "/s", None),
    Figure("bare_p50", "the same, median answer", "ms", None),
    Figure("bare_p99", "the same, 99th percentile", "ms", None),
    Figure(
        "online_per_second", "online: gateway and KServe's Pod, same model and load", "/s", None
    ),
    Figure("online_p50", "the same, median answer", "ms", None),
    Figure("online_p99", "the same, 99th percentile", "ms", None),
    Figure("online_errors", "the same, failed answers", "%", 1),
    Figure("scale_wanted", "load to the autoscaler's second Pod: wanted", "s", None),
    Figure("scale_ready", "load to the autoscaler's second Pod: Ready", "s", 120),
    Figure("scale_errors", "failed answers meanwhile", "%", 1),
    Figure("check", "`mlops-infra check`", "s", 1),
    Figure("help", "`mlops-infra --help`", "s", 0.3),
    Figure("bundle_fetch", "fetching a bundle, over the time of the fastest peer", "times", 1),
    Figure("bundle_push", "pushing it, over the time of the fastest peer", "times", 0.67),
    Figure("bundle_push_again", "pushing 100 images that are there already", "s", 1),
    Figure("bundle_memory", "memory of fetching and pushing, at most", "MB", 150),
)


def machine() -> dict[str, object]:
    """What was measured on."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memoryGB": round(total / 1e9),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
    }


def moment() -> dict[str, object]:
    """When a part was measured, and the load of the machine at its end (one minute's average)."""
    load = Path("/proc/loadavg").read_text(encoding="ascii").split()[0]
    return {"date": time.strftime("%Y-%m-%d"), "load": round(float(load), 1)}


def shown(figure: Figure, value: float | None) -> str:
    """A value with its unit; `not measured` where there is none."""
    if value is None:
        return "not measured"
    return f"{value:.2f} {figure.unit}" if value < 1 else f"{value:.1f} {figure.unit}"


def goal(figure: Figure) -> str:
    """The goal with its unit; `-` where there is none."""
    return "-" if figure.goal is None else f"under {figure.goal:g} {figure.unit}"


def verdict(figure: Figure, value: float | None) -> str:
    """Whether the goal is met."""
    if value is None or figure.goal is None:
        return "-"
    return "met" if value < figure.goal else "MISSED"


def table(values: dict[str, float]) -> list[str]:
    """One line a figure, for the terminal."""
    rows = [("figure", "measured", "goal", "")]
    rows += [
        (f.title, shown(f, values.get(f.key)), goal(f), verdict(f, values.get(f.key)))
        for f in FIGURES
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
