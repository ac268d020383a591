"""Runs what is in an image on this machine, as its own user, in namespaces of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from mlops_infra import images
from mlops_infra.images.rootfs import layer_files
from mlops_infra.progress import quiet

_SETUP = """
set -eu
root=$1 user=$2
mount -t proc proc $root/proc
mount -t tmpfs tmpfs $root/dev
mount -t tmpfs -o mode=1777 tmpfs $root/tmp
mkdir -m 1777 $root/dev/shm
mknod -m 666 $root/dev/null c 1 3
mknod -m 666 $root/dev/urandom c 1 9
ip link set lo up
shift 2
exec chroot --userspec=$user --groups= $root /usr/bin/env -i "$@"
"""


def settings(built: images.BuiltImage) -> dict[str, object]:
    """The `config` object of the image's configuration."""
    manifest = blob(built, built.digest)
    loaded: dict[str, object] = blob(built, manifest["config"]["digest"])["config"]  # type: ignore[index]
    return loaded


def blob(built: images.BuiltImage, digest: str) -> dict[str, object]:
    """A JSON blob of the layout."""
    file = built.layout / "blobs" / "sha256" / digest.removeprefix("sha256:")
    loaded: dict[str, object] = json.loads(file.read_bytes())
    return loaded


def run(name: str, script: str, folder: Path, *, as_root: bool = False) -> str:
    """Run `script` by the image's own shell; return its output, errors included."""
    built = images.build(name, quiet)
    root = folder / name
    if not root.exists():
        images.unpack(built, root)
        assert layer_files(built.layout, built.digest)
    known = settings(built)
    user = "0:0" if as_root else str(known["User"])
    environment = list(known.get("Env", ["PATH=/usr/sbin:/usr/bin"]))  # type: ignore[call-overload]
    done = subprocess.run(
        [
            *("unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child"),
            *("sh", "-c", _SETUP, "sh", str(root), user, *environment, "HOME=/tmp"),
            *("/bin/sh", "-euc", script),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout
