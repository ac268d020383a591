"""A build that is killed again and again, and one whose disk fills up: both end like any other."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import quiet
from offline_bundle import layout, lockfile
from offline_bundle.build import BundleLocked, build
from offline_bundle.model import Lock
from offline_bundle.registry import Host, Settings
from tests.hostile import Script, serving
from tests.registries import incompressible

STORM = os.environ.get("MLOPS_INFRA_STORM") == "1"
KILLS = 50 if STORM else 3
BLOB = 64 << 20 if STORM else 3 << 20
RATE = 8 << 20 if STORM else 4 << 20
"""Bytes per second and connection: what is under way when the process dies is lost."""

BUILDER = """
import sys
from pathlib import Path
from mlops_infra.progress import quiet
from offline_bundle.build import build
from offline_bundle.lockfile import read_lock
from offline_bundle.registry import Host, Settings
settings = Settings({sys.argv[3]: Host(plain_http=True)})
print("ready", flush=True)
build(read_lock(Path(sys.argv[1])), Path(sys.argv[2]), settings, quiet)
"""


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


@pytest.fixture(scope="module")
def host(script: Script) -> Iterator[str]:
    with serving(script) as address:
        yield address


@pytest.fixture(scope="module")
def lock(script: Script, host: str) -> Lock:
    layers = [incompressible(1 << 20, seed) * (BLOB >> 20) for seed in range(24)]
    images = [
        script.image(host, f"team/app{n}", [*layers[:12], *layers[12 + 3 * n : 15 + 3 * n]])
        for n in range(4)
    ]
    return lockfile.ordered(Lock(None, "linux/amd64", "3.11", tuple(images)))


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        file.relative_to(folder).as_posix(): (
            file.stat().st_mode,
            hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "",
        )
        for file in sorted(folder.rglob("*"))
    }


def settings(host: str) -> Settings:
    return Settings({host: Host(plain_http=True)})


def test_a_build_killed_at_random_moments_ends_like_one_that_was_not(
    tmp_path: Path, script: Script, host: str, lock: Lock
) -> None:
    build(lock, tmp_path / "calm", settings(host), quiet)
    file = tmp_path / "bundle.lock"
    lockfile.write_lock(lock, file)
    script.sent, script.rate = 0, RATE
    command = [sys.executable, "-c", BUILDER, str(file), str(tmp_path / "storm"), host]
    chance = random.Random(20261121)  # noqa: S311  moments, not keys
    killed = 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout as output:
            assert output.readline() == "ready\n"
            if killed < KILLS:
                time.sleep(chance.uniform(0.05, 0.9))
                process.send_signal(signal.SIGKILL)
            code = process.wait(300)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
    script.rate = None
    assert killed >= KILLS * 0.8, "most kills hit a build that was under way"
    assert tree(tmp_path / "storm") == tree(tmp_path / "calm")
    unique = sum(lock.blobs.values())
    assert script.sent <= 1.02 * unique, f"{script.sent / unique:.4f} of the unique bytes"


def test_two_builds_at_once_are_refused(tmp_path: Path, host: str, lock: Lock) -> None:
    from offline_bundle.build.writer import only_writer

    with only_writer(tmp_path), pytest.raises(BundleLocked):
        build(lock, tmp_path, settings(host), quiet)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={10 * BLOB}", "small", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_refused_first_and_survived_when_forced(
    small_disk: Path, script: Script, host: str, lock: Lock
) -> None:
    bundle = small_disk / "bundle"
    script.asked.clear()
    with pytest.raises(
        OperationFailed, match=r"needs [\d,]+ bytes .* more, the disk has [\d,]+ bytes"
    ):
        build(lock, bundle, settings(host), quiet)
    assert not script.asked, "refused before the first byte"
    with pytest.raises(OperationFailed, match="the disk is full"):
        build(lock, bundle, settings(host), quiet, force=True)
    assert not (bundle / layout.BUNDLE).exists()
    kept = len(list((bundle / layout.BLOBS).rglob("*")))
    assert kept > 2, "what came is kept"
    larger = ["mount", "-o", f"remount,size={40 * BLOB}", str(small_disk)]
    subprocess.run(larger, check=True)
    script.sent = 0
    built = build(lock, bundle, settings(host), quiet)
    assert built.present > 2
    assert script.sent < 0.8 * sum(lock.blobs.values())
