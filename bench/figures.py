"""The measured figures with their goals, in the sections of docs/performance.md."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    key: str
    """Its key under `figures` in docs/measured.json."""
    title: str
    unit: str
    goal: float | None
    """Upper limit on a machine with two cores; None without a goal."""


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together."""

    title: str
    figures: tuple[Figure, ...]


SECTIONS = (
    Section(
        "The sandbox: the whole platform",
        (
            Figure("whole_up_cold", "`make up`, empty caches, everything compiled", "min", 20),
            Figure("whole_up_warm", "`make up`, warm caches", "s", None),
            Figure("whole_up_again", "`mlops-infra up`, nothing to change", "s", 5),
            Figure("whole_verify", "`make verify`: the whole life of a model", "s", 600),
            Figure("whole_memory", "memory of cluster and platform (PSS)", "GB", 8),
            Figure("whole_down", "`make down`", "s", None),
        ),
    ),
    Section(
        "The core: MLflow and its stores",
        (
            Figure("up_cold", "`make up STACK=core`, empty caches, everything compiled", "min", 20),
            Figure("up_warm", "`make up STACK=core`, warm caches, all Pods Ready", "s", 90),
            Figure("control_plane", "control plane ready", "s", 10),
            Figure("node", "node ready, counted from the same start", "s", None),
            Figure("up_again", "`mlops-infra up -s core`, nothing to change", "s", 15),
            Figure("verify", "`mlops-infra verify -s core`", "s", None),
            Figure("memory", "memory of cluster and platform (PSS)", "GB", 3),
            Figure("down", "`make down STACK=core`", "s", None),
        ),
    ),
    Section(
        "A machine with network access: archives instead of compiling",
        (
            Figure(
                "connected_up_cold",
                "`make up STACK=core`, empty caches, all archives from a loopback server",
                "min",
                3,
            ),
        ),
    ),
    Section(
        "Tests",
        (
            Figure("test_warm", "`make test`, warm caches", "min", 25),
            Figure("test_cold", "`make test`, empty caches", "min", 50),
        ),
    ),
    Section(
        "Teardown: until everything that holds a deletion is named",
        (
            Figure("teardown_webhook_delete", "dead webhook for deletions", "s", 60),
            Figure("teardown_webhook_update", "dead webhook for updates", "s", 60),
            Figure("teardown_api_service", "APIService without a server", "s", 60),
            Figure("teardown_controller", "controller scaled to zero", "s", 60),
            Figure(
                "teardown_finalizer",
                "unknown finalizer on a ConfigMap, Secret or ServiceAccount",
                "s",
                60,
            ),
            Figure("teardown_custom_resource", "custom resource whose controller is gone", "s", 60),
            Figure("teardown_namespace", "namespace deleted by hand that hangs", "s", 60),
            Figure("teardown_keep_cluster", "the same with `--keep-cluster`", "s", 60),
            Figure("teardown_own_cluster", "the same on a cluster of your own", "s", 60),
        ),
    ),
    Section(
        "A pipeline of seven short steps on Argo Workflows, mean of the steps",
        (
            Figure("step", "from a step's Pod to the next step's Pod", "s", 3),
            Figure("step_longest", "the longest of them", "s", None),
            Figure("step_scheduled", "of it: Pod created to Pod placed", "s", None),
            Figure("step_prepared", "then to the end of Argo's init container", "s", None),
            Figure("step_process", "then to the start of the program", "s", None),
            Figure("step_imports", "then to its first line: the program is imported", "s", None),
            Figure("step_work", "then to its end: libraries imported, work done", "s", None),
            Figure("step_end", "then to the end of the Pod", "s", None),
            Figure("step_next", "then to the Pod of the next step", "s", None),
        ),
    ),
    Section(
        "Model serving",
        (
            Figure("bare_per_second", "one MLServer process on one core, requests", "/s", None),
            Figure("bare_p50", "median latency", "ms", None),
            Figure("bare_p99", "99th percentile", "ms", None),
            Figure(
                "online_per_second",
                "gateway and KServe Pod, same model and load, requests",
                "/s",
                None,
            ),
            Figure("online_p50", "median latency", "ms", None),
            Figure("online_p99", "99th percentile", "ms", None),
            Figure("online_errors", "failed requests", "%", 1),
            Figure("scale_wanted", "from load to the autoscaler's decision", "s", None),
            Figure("scale_ready", "from load to the second Pod Ready", "s", 120),
            Figure("scale_errors", "failed requests meanwhile", "%", 1),
        ),
    ),
    Section(
        "Offline bundles, against the fastest of crane, regctl and skopeo",
        (
            Figure(
                "bundle_fetch", "time to fetch 4 GiB of layers, relative to the fastest", "times", 1
            ),
            Figure("bundle_push", "time to push them, relative to the fastest", "times", 0.67),
            Figure("bundle_push_again", "pushing 100 images that are already there", "s", 1),
            Figure("bundle_memory", "peak memory of fetching and pushing", "MB", 150),
        ),
    ),
    Section(
        "Commands and the aws profile",
        (
            Figure("help", "`mlops-infra --help`", "s", 0.3),
            Figure("check", "`mlops-infra check`", "s", 1),
            Figure("aws_graph_first", "graph of aws-prod, SDK import included", "s", None),
            Figure("aws_graph", "graph of aws-prod, per 100 resources", "s", 1),
            Figure("aws_graph_large", "with 40 more endpoints, per 100 resources", "s", 1),
            Figure("aws_teardown_small", "teardown of 10 objects (emulator)", "s", None),
            Figure("aws_teardown_large", "teardown of 200 objects (emulator)", "s", None),
            Figure("aws_versions", "versions deleted from a bucket (emulator)", "/s", None),
        ),
    ),
)


def machine() -> dict[str, object]:
    """The machine that was measured on."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memoryGB": round(total / 1e9),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
    }


def moment() -> dict[str, object]:
    """When figures were measured, and the load of the machine at its end (one minute's average)."""
    load = Path("/proc/loadavg").read_text(encoding="ascii").split()[0]
    return {"date": time.strftime("%Y-%m-%d"), "load": round(float(load), 1)}


def shown(figure: Figure, value: float | None) -> str:
    """A value with its unit, or `not measured`."""
    if value is None:
        return "not measured"
    return f"{value:.2f} {figure.unit}" if value < 1 else f"{value:.1f} {figure.unit}"


def goal(figure: Figure) -> str:
    """The goal with its unit, or `-`."""
    return "-" if figure.goal is None else f"under {figure.goal:g} {figure.unit}"


def verdict(figure: Figure, value: float | None) -> str:
    """Whether the goal is met."""
    if value is None or figure.goal is None:
        return "-"
    return "met" if value < figure.goal else "MISSED"


def table(values: dict[str, float]) -> list[str]:
    """One line per figure, for the terminal."""
    rows = [("figure", "measured", "goal", "")]
    for section in SECTIONS:
        rows.append((section.title, "", "", ""))
        rows += [
            (f"  {f.title}", shown(f, values.get(f.key)), goal(f), verdict(f, values.get(f.key)))
            for f in section.figures
        ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
