"""`python -m bench.bundle_fetch`: our fetch against crane, regctl and skopeo, in one run.

The same images from the same registry (distribution 3, on loopback) into an OCI image layout each.
Nobody's figure has an fsync in it, since no peer makes one; `build_s` is our whole build, with
fsync and lists. Every figure is the median of `RUNS`.

`BENCH_FETCH_MB` is the size of all distinct layers, 2,048 where it is not set.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.limits import limits
from offline_bundle import lockfile
from offline_bundle.discover import Needs, WantedImage
from offline_bundle.locking import make_lock
from offline_bundle.model import Found
from offline_bundle.registry import load
from tests.registries import put_image, registry
from tests.tools import go_program

RUNS = 3
IMAGES = 4
GOAL_RATIO, GOAL_MEMORY_MB = 1.0, 150

_FETCH = """
import sys
from pathlib import Path
from mlops_infra.progress import quiet
from offline_bundle import layout
from offline_bundle.indexing import index
from offline_bundle.fetch import BlobStore, fetch
from offline_bundle.lockfile import read_lock
from offline_bundle.registry import Registries, load
lock, folder = read_lock(Path(sys.argv[1])), Path(sys.argv[2])
with Registries(load(plain_http=[sys.argv[3]])) as registries:
    fetch(lock.images, BlobStore(folder), registries, quiet)
(folder / layout.OCI_LAYOUT).write_bytes(layout.OCI_LAYOUT_CONTENT)
(folder / layout.INDEX).write_bytes(index(lock.images, ()))
"""
_BUILD = """
import sys
from pathlib import Path
from mlops_infra.progress import quiet
from offline_bundle.build import build
from offline_bundle.lockfile import read_lock
from offline_bundle.registry import load
build(read_lock(Path(sys.argv[1])), Path(sys.argv[2]), load(plain_http=[sys.argv[3]]), quiet)
"""


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    size = int(os.environ.get("BENCH_FETCH_MB", "2048")) << 20
    place = os.environ.get("BENCH_FOLDER")
    with tempfile.TemporaryDirectory(prefix="mlops-infra-fetch-", dir=place) as name:
        folder = Path(name)
        found: dict[str, object] = {"machine": limits(folder), "mb": size >> 20}
        with registry(folder / "registry") as host:
            # in a process of its own: what this one once held would count as the programs' memory
            maker = multiprocessing.get_context("spawn").Process(target=_fill, args=(host, size))
            maker.start()
            maker.join()
            _lock(host, folder / "bundle.lock")
            seconds, memory = _measure(folder, host)
    ours = seconds["ours"]
    fastest = min(value for who, value in seconds.items() if who not in ("ours", "build"))
    found |= {
        "seconds": {who: value for who, value in seconds.items() if who != "build"},
        "mb_per_s": round((size >> 20) / ours, 0),
        "ratio_to_fastest": round(fastest / ours, 2),
        "build_s": seconds["build"],
        "peak_memory_mb": round(memory, 1),
    }
    print(json.dumps(found, indent=2))
    return 0 if fastest / ours >= GOAL_RATIO and memory < GOAL_MEMORY_MB else 1


def _fill(host: str, size: int) -> None:
    """Images as notebooks have them: four parts in seven shared, the rest their own."""
    source = random.Random(1)  # noqa: S311 - content, not secrets
    block = size // 7
    shared = [source.randbytes(block) for _ in range(3)]
    for number in range(IMAGES):
        small = source.randbytes(block // 64)
        put_image(host, f"ml/image{number}", "1", [*shared, source.randbytes(block), small])


def _lock(host: str, file: Path) -> None:
    names = [f"{host}/ml/image{number}:1" for number in range(IMAGES)]
    wanted = tuple(WantedImage(each, (Found("bench"),)) for each in names)
    needs = Needs(None, "linux/amd64", "3.11", images=wanted)
    lock = make_lock(needs, load(plain_http=[host]), lambda _: None).lock
    lockfile.write_lock(lock, file)


def _measure(folder: Path, host: str) -> tuple[dict[str, float], float]:
    ways = _ways(folder / "bundle.lock", host)
    times: dict[str, list[float]] = {who: [] for who in ways}
    memory = 0.0
    for turn in range(RUNS):
        for who, commands in ways.items():
            out = folder / "out"
            taken, peak = _run(commands(out), folder / f"home-{who}-{turn}")
            times[who].append(taken)
            if who in ("ours", "build"):
                memory = max(memory, peak)
            shutil.rmtree(out)
    return {who: round(statistics.median(values), 2) for who, values in times.items()}, memory


def _ways(lock: Path, host: str) -> dict[str, Callable[[Path], list[list[str]]]]:
    names = [f"{host}/ml/image{number}:1" for number in range(IMAGES)]
    ways: dict[str, Callable[[Path], list[list[str]]]] = {
        "ours": lambda out: [[sys.executable, "-c", _FETCH, str(lock), str(out), host]],
        "build": lambda out: [[sys.executable, "-c", _BUILD, str(lock), str(out), host]],
    }
    crane, regctl, skopeo = go_program("crane"), go_program("regctl"), shutil.which("skopeo")
    if crane:
        pull = [str(crane), "pull", "--insecure", "--format=oci"]
        ways["crane"] = lambda out: [[*pull, *names, str(out)]]
    if regctl:
        copy = [str(regctl), "--host", f"reg={host},tls=disabled", "image", "copy"]
        ways["regctl"] = lambda out: [
            [*copy, name, f"ocidir://{out}:image{n}"] for n, name in enumerate(names)
        ]
    if skopeo:
        copied = [skopeo, "copy", "-q", "--src-tls-verify=false", "--preserve-digests"]
        ways["skopeo"] = lambda out: [
            [*copied, f"docker://{name}", f"oci:{out}:image{n}"] for n, name in enumerate(names)
        ]
    return ways


def _run(commands: list[list[str]], home: Path) -> tuple[float, float]:
    """Seconds of all commands, and the largest resident set of one of them in MB."""
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    peak = 0.0
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
    return time.perf_counter() - begun, peak


if __name__ == "__main__":
    sys.exit(main())
