"""`make bench`: measures platforms from nothing to nothing and writes docs/measured.json.

The core (tracking and registry on real stores) has goals for its start; the sandbox (everything)
for its verification and its size. The model that its verification leaves serving is then loaded,
next to a bare MLServer with the same files. Bundles are fetched and pushed against crane, regctl
and skopeo.

`BENCH_COLD=1` measures the cold start too, with empty caches in a folder of its own: it compiles
everything and takes a quarter of an hour or more. Figures that a run does not measure keep the
value of the last run that did.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import aws, aws_teardown, bundle_fetch, bundle_push, figures, memory, online
from bench.commands import ROOT, MeasureError, median, run, until

MEASURED = ROOT / "docs" / "measured.json"
CORE, WHOLE = "core", "sandbox"
ONLINE = ("bare_", "online_", "scale_")
RUNS = 5
Measure = Callable[[str, dict[str, str]], dict[str, float]]
"""Of a stack that is up and verified, with the environment that leads to it."""


def main() -> int:
    """Measure, print, write; 0 unless a command failed."""
    before = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    values: dict[str, float] = {}
    try:
        values["help"] = median("--help", runs=RUNS)
        values["check"] = median("check", "-s", WHOLE, runs=RUNS)
        values |= aws.graph_times()
        values |= aws_teardown.figures()
        if os.environ.get("BENCH_COLD") == "1":
            values["up_cold"] = _cold() / 60
        values |= _life(CORE)
        values |= {
            key if key.startswith(ONLINE) else f"whole_{key}": value
            for key, value in _life(WHOLE, online.measure).items()
        }
        bundles = {"fetch": bundle_fetch.measure(), "push": bundle_push.measure()}
        values |= _bundle_figures(bundles)
    except MeasureError as failed:
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    merged = {**before.get("figures", {}), **values}
    report = {
        "machine": figures.machine(),
        "figures": {k: round(v, 3) for k, v in merged.items()},
        "bundles": bundles,
    }
    MEASURED.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    print("\n".join(figures.table(merged)))
    print(figures.PEERS)
    return 0


def _bundle_figures(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The promises among them; all the rest stays beside, with the machine's limits."""
    return {
        "bundle_fetch": 1 / found["fetch"]["ratio_to_fastest"],
        "bundle_push": 1 / found["push"]["ratio_to_fastest"],
        "bundle_push_again": found["push"]["second_push_100_images_s"],
        "bundle_memory": max(each["peak_memory_mb"] for each in found.values()),
    }


def _life(stack: str, besides: Measure | None = None) -> dict[str, float]:
    """One life of a stack with warm caches, in a data folder of its own."""
    with tempfile.TemporaryDirectory(prefix="mlops-infra-bench-") as folder:
        env = {"MLOPS_INFRA_DATA": folder}
        try:
            up = run("up", "-s", stack, "--json", env=env)
            found: dict[str, float | None] = {
                "up_warm": up.seconds,
                "control_plane": until(up.events, *(["Starting the control plane"] * 2)),
                "node": until(up.events, "Starting the control plane", "Starting the node"),
                "up_again": run("up", "-s", stack, "--json", env=env).seconds,
                "verify": run("verify", "-s", stack, "--json", env=env).seconds,
                "memory": _memory(Path(folder), stack) / 1e9,
                **(besides(stack, env) if besides else {}),
            }
        finally:
            # what a failed run has made must not stay on the machine
            found_down = run("down", "-s", stack, "--json", env=env).seconds
    return {key: value for key, value in found.items() if value is not None} | {"down": found_down}


def _memory(data: Path, stack: str) -> int:
    from mlops_infra.cluster import cgroups
    from mlops_infra.cluster.layout import Layout

    layout = Layout(stack, data / "clusters" / stack)
    return memory.proportional(cgroups.members(layout.cgroup))


def _cold() -> float:
    """`make up` with empty caches: virtual environment, tools, images and all."""
    folder = Path(tempfile.mkdtemp(prefix="mlops-infra-cold-"))
    env = {
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"),
        "MLOPS_INFRA_CACHE": str(folder / "cache" / "mlops-infra"),
        "MLOPS_INFRA_DATA": str(folder / "data" / "mlops-infra"),
    }
    make = Path("make")
    variables = (f"VENV={folder / 'venv'}", f"STACK={CORE}")
    try:
        return run(*variables, "up", env=env, program=make).seconds
    finally:
        run(*variables, "down", env=env, program=make)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
