"""`python -m bench.bundle_push`: our push against skopeo, crane and regctl, in one run.

The same images, the same kind of registry (distribution 3, empty, on loopback), a host that knows
nothing yet (a new HOME for each program). Every figure is the median of `RUNS`.
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
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.limits import limits
from tests import bundles
from tests.registries import registry
from tests.tools import go_program

RUNS = 3
SHARED = (128 << 20, 128 << 20, 128 << 20)
OWN = 72 << 20
IMAGES = 4
MANY = 100
GOAL_RATIO, GOAL_MEMORY_MB, GOAL_SECOND_S = 1.5, 150, 1.0


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    place = os.environ.get("BENCH_FOLDER")
    with tempfile.TemporaryDirectory(prefix="mlops-infra-push-", dir=place) as name:
        folder = Path(name)
        found: dict[str, object] = {"machine": limits(folder)}
        # in a process of its own: what this one once held would count as the programs' memory
        maker = multiprocessing.get_context("spawn").Process(
            target=_bundle, args=(folder / "bundle",)
        )
        maker.start()
        maker.join()
        bundle = folder / "bundle"
        singles = [_single(bundle, folder / f"single{n}", n) for n in range(IMAGES)]
        seconds, memory, log = _measure(folder, bundle, singles)
        found["seconds"] = seconds
        fastest = min(value for who, value in seconds.items() if who != "ours")
        found["ratio_to_fastest"] = round(fastest / seconds["ours"], 2)
        found["peak_memory_mb"] = round(memory, 1)
        found["bytes_uploaded_once"] = _uploaded_once(log)
        found |= _second(folder)
    print(json.dumps(found, indent=2))
    good = (
        fastest / seconds["ours"] >= GOAL_RATIO
        and memory < GOAL_MEMORY_MB
        and float(str(found["second_push_100_images_s"])) < GOAL_SECOND_S
        and bool(found["bytes_uploaded_once"])
    )
    return 0 if good else 1


def _bundle(folder: Path) -> None:
    source = random.Random(1)  # noqa: S311 - content, not secrets
    shared = [source.randbytes(size) for size in SHARED]
    maker = bundles.Maker(folder)
    for number in range(IMAGES):
        maker.image(f"registry.example/ml/image{number}:1", [*shared, source.randbytes(OWN)])
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


def _measure(
    folder: Path, bundle: Path, singles: list[Path]
) -> tuple[dict[str, float], float, Path]:
    ways: dict[str, Callable[[str], list[list[str]]]] = {
        "ours": lambda host: [_ours(bundle, host)],
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
    times: dict[str, list[float]] = {who: [] for who in ways}
    memory, log = 0.0, folder
    for turn in range(RUNS):
        for who, commands in ways.items():
            place = folder / f"registry-{who}-{turn}"
            with registry(place) as host:
                taken, peak = _run(commands(host), folder / f"home-{who}-{turn}")
            times[who].append(taken)
            if who == "ours":
                memory, log = max(memory, peak), folder / "ours.log"
                shutil.copyfile(place / "log", log)
            shutil.rmtree(place)
    return {who: round(statistics.median(values), 2) for who, values in times.items()}, memory, log


def _ours(bundle: Path, host: str) -> list[str]:
    script = (
        "import sys; from pathlib import Path; from offline_bundle.push import push;"
        "from offline_bundle.registry import load;"
        "push([Path(sys.argv[1])], sys.argv[2], settings=load(plain_http=[sys.argv[2]]))"
    )
    return [sys.executable, "-c", script, str(bundle), host]


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


def _uploaded_once(log: Path) -> bool:
    """Whether no blob came twice, and shared ones were linked."""
    lines = [line for line in log.read_text().splitlines() if '"PUT /v2/' in line]
    digests = Counter(
        line.partition("digest=")[2].partition(" ")[0] for line in lines if "/blobs/" in line
    )
    mounted = [line for line in log.read_text().splitlines() if "?mount=" in line]
    return bool(mounted) and all(count == 1 for count in digests.values())


def _second(folder: Path) -> dict[str, object]:
    maker = bundles.Maker(folder / "many")
    base = random.Random(2).randbytes(1 << 16)  # noqa: S311
    for number in range(MANY):
        maker.image(f"registry.example/many/image{number}:1", [base, b"%d" % number])
    maker.seal()
    with registry(folder / "registry-many") as host:
        command = [_ours(maker.folder, host)]
        first, _ = _run(command, folder / "home-many-1")
        again = [_run(command, folder / f"home-again-{turn}")[0] for turn in range(RUNS)]
    return {
        "first_push_100_images_s": round(first, 2),
        "second_push_100_images_s": round(statistics.median(again), 2),
    }


if __name__ == "__main__":
    sys.exit(main())
