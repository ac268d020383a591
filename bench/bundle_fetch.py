"""`python -m bench.bundle_fetch`: our fetch against crane, regctl and skopeo, in one run.

The same images from the same registry (distribution 3, on loopback) into an OCI image layout each.
Nobody's figure has an fsync in it, since no peer makes one; `build_s` is our whole build, with
fsync and lists. Every figure is the median of `RUNS` turns.

`BENCH_FETCH_MB` is the size of all distinct layers, 4,096 where it is not set.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.limits import limits
from bench.noise import noise
from bench.peers import Taken, compared, run
from offline_bundle import lockfile
from offline_bundle.discover import Needs, WantedImage
from offline_bundle.locking import make_lock
from offline_bundle.model import Found
from offline_bundle.registry import load
from tests.registries import put_image, registry
from tests.tools import go_program

RUNS = 5
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
    found = measure()
    print(json.dumps(found, indent=2))
    good = found["ratio_to_fastest"] >= GOAL_RATIO and found["peak_memory_mb"] < GOAL_MEMORY_MB
    return 0 if good else 1


def measure() -> dict[str, Any]:
    """All figures, with the machine's limits beside them."""
    size = int(os.environ.get("BENCH_FETCH_MB", "4096")) << 20
    place = os.environ.get("BENCH_FOLDER")
    with tempfile.TemporaryDirectory(prefix="mlops-infra-fetch-", dir=place) as name:
        folder = Path(name)
        machine = limits(folder)
        with registry(folder / "registry") as host:
            # in a process of its own: what this one once held would count as the programs' memory
            maker = multiprocessing.get_context("spawn").Process(target=_fill, args=(host, size))
            maker.start()
            maker.join()
            _lock(host, folder / "bundle.lock")
            found, build = _measured(folder, host)
    return {"machine": machine, "mb": size >> 20, **found, "build_s": build}


def _fill(host: str, size: int) -> None:
    """Images as notebooks have them: four parts in seven shared, the rest their own."""
    source = random.Random(1)  # noqa: S311 - content, not secrets
    block = size // 7
    shared = [noise(source, block) for _ in range(3)]
    for number in range(IMAGES):
        own = [noise(source, block), noise(source, block // 64)]
        put_image(host, f"ml/image{number}", "1", [*shared, *own])


def _lock(host: str, file: Path) -> None:
    names = [f"{host}/ml/image{number}:1" for number in range(IMAGES)]
    wanted = tuple(WantedImage(each, (Found("bench"),)) for each in names)
    needs = Needs(None, "linux/amd64", "3.11", images=wanted)
    lock = make_lock(needs, load(plain_http=[host]), lambda _: None).lock
    lockfile.write_lock(lock, file)


def _measured(folder: Path, host: str) -> tuple[dict[str, Any], float]:
    """The comparison, and seconds of our whole build."""
    ways = _ways(folder / "bundle.lock", host)
    turns: list[dict[str, Taken]] = []
    for turn in range(RUNS):
        turns.append({})
        for who, commands in ways.items():
            out = folder / "out"
            turns[-1][who] = run(commands(out), folder / f"home-{who}-{turn}")
            shutil.rmtree(out)
    builds = [turn.pop("build").seconds for turn in turns]
    return compared(turns), round(statistics.median(builds), 2)


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


if __name__ == "__main__":
    sys.exit(main())
