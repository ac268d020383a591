"""The S3 gateway of the platform as a process on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from mlops_infra import toolchain
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.progress import quiet


@contextmanager
def started(folder: Path, root: Login) -> Iterator[str]:
    """Run it with its data below `folder`; gives its URL."""
    program = toolchain.ensure(["versitygw"], quiet)["versitygw"].path
    folders = {name: folder / name for name in ("iam", "meta", "objects")}
    for each in folders.values():
        each.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        [program, "posix", "--sidecar", str(folders["meta"]), str(folders["objects"])],
        env={
            **os.environ,
            "VGW_PORT": address,
            "VGW_HEALTH": "/healthz",
            "VGW_IAM_DIR": str(folders["iam"]),
            "VGW_IAM_CACHE_DISABLE": "true",
            "VGW_REGION": "us-east-1",
            "VGW_QUIET": "true",
            "ROOT_ACCESS_KEY": root.name,
            "ROOT_SECRET_KEY": root.password,
        },
    )
    try:
        until = time.monotonic() + 20
        while True:
            try:
                urlopen(f"http://{address}/healthz", timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(20)
