"""containerd of the node image, on its own: the runtime that nodes have, without a cluster."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlops_infra import places
from tests.carried import say


@contextmanager
def containerd(folder: Path) -> Iterator[list[object]]:
    """containerd of the node image, on its own below `folder`; yields how `ctr` is called."""
    roots = sorted((places.cache() / "cluster" / "node").glob("[0-9a-f]*"))
    root = roots[0] if roots else None
    if root is None or os.geteuid() != 0:
        pytest.skip("containerd: needs root, and the node image unpacked by a cluster's start")
    socket = f"/tmp/b-{os.getpid()}.sock"  # a path of at most 107 bytes
    config = folder / "config.toml"
    config.write_text(
        f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
        f'[grpc]\n  address = "{socket}"\n[ttrpc]\n  address = "{socket}.t"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
    )
    with (folder / "log").open("w") as log:
        command = [root / "usr/bin/containerd", "-c", config]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 30
        while not Path(socket).exists():
            assert time.monotonic() < until, (folder / "log").read_text()
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield [root / "usr/bin/ctr", "-a", socket, "images"]
    finally:
        process.terminate()
        process.wait(20)


def listed(ctr: list[object]) -> dict[str, str]:
    """Digest by name of what containerd holds."""
    rows = [line.split() for line in say(*ctr, "ls").splitlines()[1:]]
    return {row[0]: row[2] for row in rows}
