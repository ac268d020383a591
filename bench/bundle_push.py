"""`python -m bench.bundle_push`: our push against skopeo, crane and regctl, in one run.

The same images, the same kind of registry (distribution 3, empty, on loopback), a host that knows
nothing yet (a new HOME for each program). Every figure is the median of `RUNS`.

`BENCH_PUSH_MB` is the size of all distinct layers, 4,096 where it is not set.
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
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.limits import limits
from bench.noise import noise
from bench.peers import OURS, Taken, compared, run
from tests import bundles
from tests.registries import registry
from tests.tools import go_program

RUNS = 3
SHARED, OWN = 4, 1
"""Parts of a layer: images of notebooks share more than they have of their own."""
IMAGES = 4
MANY = 100
GOAL_RATIO, GOAL_MEMORY_MB, GOAL_SECOND_S = 1.5, 150, 1.0


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    found = measure()
    print(json.dumps(found, indent=2))
    good = (
        found["ratio_to_fastest"] >= GOAL_RATIO
        and found["peak_memory_mb"] < GOAL_MEMORY_MB
        and found["second_push_100_images_s"] < GOAL_SECOND_S
        and found["bytes_uploaded_once"]
    )
    return 0 if good else 1


def measure() -> dict[str, Any]:
    """All figures, with the machine's limits beside them."""
    place = os.environ.get("BENCH_FOLDER")
    with tempfile.TemporaryDirectory(prefix="mlops-infra-push-", dir=place) as name:
        folder = Path(name)
        machine = limits(folder)
        # in a process of its own: what this one once held would count as the programs' memory
        size = int(os.environ.get("BENCH_PUSH_MB", "4096")) << 20
        maker = multiprocessing.get_context("spawn").Process(
            target=_bundle, args=(folder / "bundle", size)
        )
        maker.start()
        maker.join()
        bundle = folder / "bundle"
        singles = [_single(bundle, folder / f"single{n}", n) for n in range(IMAGES)]
        found, log = _measured(folder, bundle, singles)
        once = _uploaded_once(log)
        return {
            "machine": machine,
            "mb": size >> 20,
            **found,
            "bytes_uploaded_once": once,
            **_second(folder),
        }


def _bundle(folder: Path, size: int) -> None:
    source = random.Random(1)  # noqa: S311 - content, not secrets
    part = size // (SHARED + OWN * IMAGES)
    shared = [noise(source, part) for _ in range(SHARED)]
    maker = bundles.Maker(folder)
    for number in range(IMAGES):
        maker.image(f"registry.example/ml/image{number}:1", [*shared, noise(source, part)])
    maker.seal()


def _single(bundle: Path, folder: Path, number: int) -> Path:
    """A layout of one image, which is what the peers take; blobs are hard links."""
    index = json.loads((bundle / "index.json").read_bytes())
    one = index["manifests"][number]
    one["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    shutil.copytree(bundle / "blobs", folder / "blobs", copy_function=os.link)
    (folder / "oci-layout").write_bytes((bundle / "oci-layout").read_bytes())
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [one]}))
    return folder


def _measured(folder: Path, bundle: Path, singles: list[Path]) -> tuple[dict[str, Any], Path]:
    """The comparison, and the access log of one of our pushes."""
    ways = _ways(bundle, singles)
    turns: list[dict[str, Taken]] = []
    log = folder / "ours.log"
    for turn in range(RUNS):
        turns.append({})
        for who, commands in ways.items():
            place = folder / f"registry-{who}-{turn}"
            with registry(place) as host:
                turns[-1][who] = run(commands(host), folder / f"home-{who}-{turn}")
            if who == OURS:
                shutil.copyfile(place / "log", log)
            shutil.rmtree(place)
    return compared(turns), log


def _ways(bundle: Path, singles: list[Path]) -> dict[str, Callable[[str], list[list[str]]]]:
    ways: dict[str, Callable[[str], list[list[str]]]] = {
        OURS: lambda host: [_ours(bundle, host)],
    }
    crane, regctl, skopeo = go_program("crane"), go_program("regctl"), shutil.which("skopeo")
    if skopeo:
        ways["skopeo"] = lambda host: [
            [skopeo, "copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false",
             f"oci:{each}:1", f"docker://{host}/ml/image{n}:1"]
            for n, each in enumerate(singles)
        ]  # fmt: skip
    if crane:
        ways["crane"] = lambda host: [
            [str(crane), "push", "--insecure", str(each), f"{host}/ml/image{n}:1"]
            for n, each in enumerate(singles)
        ]
    if regctl:
        ways["regctl"] = lambda host: [
            [str(regctl), "--host", f"reg={host},tls=disabled", "image", "copy",
             f"ocidir://{each}:1", f"{host}/ml/image{n}:1"]
            for n, each in enumerate(singles)
        ]  # fmt: skip
    return ways


def _ours(bundle: Path, host: str) -> list[str]:
    script = (
        "import sys; from pathlib import Path; from offline_bundle.push import push;"
        "from offline_bundle.registry import load;"
        "push([Path(sys.argv[1])], sys.argv[2], settings=load(plain_http=[sys.argv[2]]))"
    )
    return [sys.executable, "-c", script, str(bundle), host]


def _uploaded_once(log: Path) -> bool:
    """Whether no blob came twice, and shared ones were linked."""
    lines = [line for line in log.read_text().splitlines() if '"PUT /v2/' in line]
    digests = Counter(
        line.partition("digest=")[2].partition(" ")[0] for line in lines if "/blobs/" in line
    )
    mounted = [line for line in log.read_text().splitlines() if "?mount=" in line]
    return bool(mounted) and all(count == 1 for count in digests.values())


def _second(folder: Path) -> dict[str, float]:
    maker = bundles.Maker(folder / "many")
    base = random.Random(2).randbytes(1 << 16)  # noqa: S311
    for number in range(MANY):
        maker.image(f"registry.example/many/image{number}:1", [base, b"%d" % number])
    maker.seal()
    with registry(folder / "registry-many") as host:
        command = [_ours(maker.folder, host)]
        first = run(command, folder / "home-many-1").seconds
        again = [run(command, folder / f"home-again-{turn}") for turn in range(RUNS)]
    return {
        "first_push_100_images_s": round(first, 2),
        "second_push_100_images_s": round(statistics.median(t.seconds for t in again), 2),
        "second_push_100_images_cpu_s": round(statistics.median(t.cpu for t in again), 2),
    }


if __name__ == "__main__":
    sys.exit(main())
