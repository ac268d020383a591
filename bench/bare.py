"""MLServer as a bare process: from the image's own files, without any cluster around it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.commands import MeasureError
from bench.serving import free_port
from mlops_infra import images
from mlops_infra.progress import quiet

START_SECONDS = 120.0
_RUN = """
set -eu
mount -t proc proc $1/proc
mount -t tmpfs tmpfs $1/dev
mount -t tmpfs -o mode=1777 tmpfs $1/tmp
mkdir -m 1777 $1/dev/shm
mknod -m 666 $1/dev/null c 1 3
mknod -m 666 $1/dev/urandom c 1 9
root=$1
shift
exec chroot --userspec=65532:65532 --groups= $root /usr/bin/env -i "$@"
"""
_SETTINGS = {
    "HOME": "/tmp",  # noqa: S108 - its own /tmp, like a Pod's
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    # as charts/kserve/templates/runtimes.yaml sets them for its Pods
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MLSERVER_HOST": "127.0.0.1",
    "MLSERVER_MODEL_IMPLEMENTATION": "mlserver_mlflow.MLflowRuntime",
    "MLSERVER_MODEL_URI": "/mnt/models",
    "MLSERVER_PARALLEL_WORKERS": "0",
    "MLSERVER_METRICS_DIR": "/tmp/metrics",  # noqa: S108
    "MLSERVER_ENVIRONMENTS_DIR": "/tmp/environments",  # noqa: S108
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@contextmanager
def mlserver(folder: Path, model: Path, name: str) -> Iterator[str]:
    """Serve the files in `model` on one core; the base URL.

    Raises:
        MeasureError: it does not start, with the end of what it said.
    """
    root, log = folder / "mlserver", folder / "mlserver.log"
    images.unpack(images.build("mlserver", quiet), root)
    shutil.copytree(model, root / "mnt" / "models", dirs_exist_ok=True)
    ports = {kind: str(free_port()) for kind in ("HTTP", "GRPC", "METRICS")}
    settings = _SETTINGS | {f"MLSERVER_{kind}_PORT": port for kind, port in ports.items()}
    settings["MLSERVER_MODEL_NAME"] = name
    command = [
        *("unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child"),
        *("sh", "-c", _RUN, "sh", str(root)),
        *(f"{key}={value}" for key, value in settings.items()),
        *("/bin/sh", "-c", "cd /tmp && exec mlserver start /mnt/models"),
    ]
    cores = {max(os.sched_getaffinity(0))}
    with log.open("w", encoding="utf-8") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said)
        os.sched_setaffinity(server.pid, cores)
    try:
        url = f"http://127.0.0.1:{ports['HTTP']}"
        _until_ready(f"{url}/v2/models/{name}/ready", server, log)
        yield url
    finally:
        server.kill()  # unshare is deaf to SIGTERM, and takes its child along
        server.wait(30)


def _until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own http address
                return
        except OSError as error:
            if server.poll() is not None or time.monotonic() > until:
                print(log.read_text("utf-8")[-3000:], file=sys.stderr)
                raise MeasureError("the bare MLServer does not start") from error
            time.sleep(0.2)
