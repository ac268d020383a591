"""`make bench`: measures platforms from nothing to nothing and writes docs/measured.json.

The core (tracking and registry on real stores) has goals for its start; the sandbox (everything)
for its verification and its size. There a pipeline of short steps runs, and the model that the
verification leaves serving is loaded, next to a bare MLServer with the same files. Bundles are
fetched and pushed against crane, regctl and skopeo.

`BENCH_COLD=1` measures the cold start of both too, with empty caches in a folder of its own: each
compiles everything and takes a quarter of an hour or more. `python -m bench whole bundles` measures
these parts alone (of: commands, aws, teardown, core, whole, connected, bundles), `python -m bench
steps serving` the pipeline and the model on a sandbox that is up and verified. Figures are written
as soon as they are measured; those that a run does not measure keep the value of the last run that
did.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import aws, aws_teardown, connected, figures, memory, online, pipeline, teardown
from bench.commands import ROOT, MeasureError, median, run, until

MEASURED = ROOT / "docs" / "measured.json"
CORE, WHOLE = "core", "sandbox"
OWN_NAMES = ("bare_", "online_", "scale_", "step")
"""How figures begin that no other part has under the same name."""
RUNS = 5
Figures = Iterator[dict[str, float]]
"""As they are found, so that a failure later does not lose them."""
Measure = Callable[[str, dict[str, str]], Figures]
"""Of a stack that is up and verified, with the environment that leads to it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a part found, or some of it."""

    figures: dict[str, float]
    bundles: dict[str, Any] = field(default_factory=dict)
    """What stands behind the figures of bundles: peers, ratios, limits of the machine."""


def main(chosen: list[str]) -> int:
    """Measure the chosen parts or all, print and write each; 0 unless a command failed."""
    if unknown := set(chosen) - set(PARTS):
        print(f"bench: {', '.join(sorted(unknown))}: the parts are {', '.join(PARTS)}")
        return 2
    for part in chosen or [part for part in PARTS if part not in WITHIN]:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        try:
            for measured in PARTS[part]():
                report = _write(measured)
        except MeasureError as failed:
            print(f"bench: {failed}", file=sys.stderr)
            return 1
    print(json.dumps(report, indent=2))
    print("\n".join(figures.table(report["figures"])))
    return 0


def _write(measured: Measured) -> dict[str, Any]:
    """Merge what was measured into the report."""
    before = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    rounded = {key: round(value, 3) for key, value in measured.figures.items()}
    report = {
        "machine": figures.machine(),
        "moments": {**before.get("moments", {}), **dict.fromkeys(rounded, figures.moment())},
        "figures": {**before.get("figures", {}), **rounded},
        "bundles": measured.bundles or before.get("bundles", {}),
    }
    MEASURED.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _commands() -> Iterator[Measured]:
    times = {"help": median("--help", runs=RUNS), "check": median("check", "-s", WHOLE, runs=RUNS)}
    yield Measured(times | aws.graph_times())


def _aws() -> Iterator[Measured]:
    yield Measured(aws_teardown.figures())


def _teardown() -> Iterator[Measured]:
    yield Measured(teardown.figures())


def _core() -> Iterator[Measured]:
    yield from map(Measured, _life(CORE))


def _whole() -> Iterator[Measured]:
    for found in _life(WHOLE, _models):
        yield Measured(
            {key if key.startswith(OWN_NAMES) else f"whole_{key}": found[key] for key in found}
        )


def _connected() -> Iterator[Measured]:
    yield from map(Measured, connected.measure())


def _models(stack: str, env: dict[str, str]) -> Figures:
    """Making a model, and asking it."""
    yield from pipeline.measure(stack, env)
    yield from online.measure(stack, env)


def _steps() -> Iterator[Measured]:
    """A part of the sandbox's, for a sandbox that is up already."""
    yield from map(Measured, pipeline.measure(WHOLE, {}))


def _serving() -> Iterator[Measured]:
    """Another one."""
    yield from map(Measured, online.measure(WHOLE, {}))


def _bundles() -> Iterator[Measured]:
    found = {name: _by_itself(f"bench.bundle_{name}") for name in ("fetch", "push")}
    yield Measured(_bundle_figures(found), found)


def _by_itself(module: str) -> dict[str, Any]:
    """In a process of its own: a child's peak of memory begins with what its parent held."""
    print(f"$ python -m {module}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if not done.stdout:  # exit code 1 with an answer: a goal is missed
        raise MeasureError(f"{module}: exit code {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _bundle_figures(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The promises among them; all the rest stays beside, with the machine's limits."""
    return {
        "bundle_fetch": 1 / found["fetch"]["ratio_to_fastest"],
        "bundle_push": 1 / found["push"]["ratio_to_fastest"],
        "bundle_push_again": found["push"]["second_push_100_images_s"],
        "bundle_memory": max(each["peak_memory_mb"] for each in found.values()),
    }


def _life(stack: str, besides: Measure | None = None) -> Figures:
    """One life of a stack with warm caches, in a data folder of its own; the cold start before."""
    if os.environ.get("BENCH_COLD") == "1":
        yield {"up_cold": _cold(stack) / 60}
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
            }
            yield {key: value for key, value in found.items() if value is not None}
            if besides:
                yield from besides(stack, env)
        finally:
            # what a failed run has made must not stay on the machine
            down = run("down", "-s", stack, "--json", env=env)
    yield {"down": down.seconds}


def _memory(data: Path, stack: str) -> int:
    from mlops_infra.cluster.instance.layout import Layout
    from mlops_infra.cluster.node import cgroups

    layout = Layout(stack, data / "clusters" / stack)
    return memory.proportional(cgroups.members(layout.cgroup))


def _cold(stack: str) -> float:
    """Seconds of `make up` with empty caches: virtual environment, tools, images and all."""
    folder = Path(tempfile.mkdtemp(prefix="mlops-infra-cold-"))
    env = {
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"),
        "MLOPS_INFRA_CACHE": str(folder / "cache" / "mlops-infra"),
        "MLOPS_INFRA_DATA": str(folder / "data" / "mlops-infra"),
    }
    make = Path("make")
    variables = (f"VENV={folder / 'venv'}", f"STACK={stack}")
    try:
        return run(*variables, "up", env=env, program=make).seconds
    finally:
        run(*variables, "down", env=env, program=make)
        shutil.rmtree(folder)


PARTS: dict[str, Callable[[], Iterator[Measured]]] = {
    "commands": _commands,
    "aws": _aws,
    "teardown": _teardown,
    "core": _core,
    "whole": _whole,
    "connected": _connected,
    "steps": _steps,
    "serving": _serving,
    "bundles": _bundles,
}
WITHIN = ("steps", "serving")
"""Parts that `whole` measures too."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
