"""Images from OCI layouts into the node's containerd.

A layout is streamed as a tar into `ctr images import` inside the node: no second copy on disk. What
the node has already under the same name and digest is left alone, and so are the lower layers that
it has unpacked for another image: after a change of our own code its layer alone is read.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.supervision import control
from mlops_infra.errors import OperationFailed
from mlops_infra.images import BuiltImage
from mlops_infra.progress import Sink, step

PINNED = "io.cri-containerd.pinned=pinned"
"""The kubelet never removes such an image: it could not be pulled again."""
CTR = ("ctr", "--namespace", "k8s.io")
HOW = ("--local", "--discard-unpacked-layers")
"""Unpacked layers need not be kept as archives too: half the disk."""
AT_ONCE = 2
"""Imports at the same time: unpacking is bound by the disk, reading by the processor."""


def load(layout: Layout, images: Iterable[BuiltImage], sink: Sink) -> tuple[str, ...]:
    """Import what is missing; returns the references that were imported.

    Raises:
        OperationFailed: the node's containerd refused an image, or the disk is full.
    """
    there = present(layout)
    missing = [image for image in images if there.get(image.reference) != image.digest]
    if not missing:
        return ()
    unpacked = _unpacked(layout)
    total = sum(_size(image) for image in missing)
    title = f"Loading {len(missing)} image{'s' if len(missing) > 1 else ''} into the node"
    with step(sink, title, total=total, unit="bytes") as work:

        def one(image: BuiltImage) -> None:
            _import(layout, image, unpacked, work.advance)
            work.note(image.reference)

        # big ones first, so that the small ones fill the gaps
        missing.sort(key=_size, reverse=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one, missing))
        for image in missing:
            _run(layout, "images", "label", image.reference, PINNED)
    return tuple(image.reference for image in missing)


def present(layout: Layout) -> dict[str, str]:
    """Reference -> digest of every image the node has."""
    found = {}
    for line in _run(layout, "images", "list").splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 3:
            found[fields[0]] = fields[2]
    return found


def _unpacked(layout: Layout) -> frozenset[str]:
    """The chain ids of all layers that lie unpacked in the node."""
    lines = _run(layout, "snapshots", "list").splitlines()[1:]
    return frozenset(line.split()[0] for line in lines if line.startswith("sha256:"))


def _run(layout: Layout, *arguments: str) -> str:
    done = subprocess.run(
        control.enter(layout, *CTR, *arguments), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise _refused(layout, " ".join(arguments[:2]), done.stderr)
    return done.stdout


def _refused(layout: Layout, what: str, stderr: str) -> OperationFailed:
    reason = stderr.strip().splitlines()[-1:] or ["no reason given"]
    full = "no space left" in stderr.lower()
    return OperationFailed(
        f"containerd: {what}: {'the disk is full' if full else reason[0]}",
        where=str(layout.kept("containerd") if full else layout.log("containerd")),
        hint="free some space, then run the command again" if full else "see the log named above",
    )


def _import(
    layout: Layout,
    image: BuiltImage,
    unpacked: Collection[str],
    advance: Callable[[int], None],
) -> None:
    command = control.enter(layout, *CTR, "images", "import", *HOW, "-")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        stdin = process.stdin
        assert stdin is not None and process.stderr is not None  # noqa: S101, PT018
        with suppress(BrokenPipeError):  # it ended early; its own words follow
            stream(image, stdin, advance, unpacked)
        with suppress(BrokenPipeError):
            stdin.close()
        stderr = process.stderr.read().decode(errors="replace")
        if process.wait() != 0:
            raise _refused(layout, f"import of {image.reference}", stderr)


def stream(
    image: BuiltImage,
    target: IO[bytes],
    advance: Callable[[int], None],
    unpacked: Collection[str] = (),
) -> None:
    """Write the one image of a layout as a tar: its manifest, what that names, a fresh index.

    Args:
        image: what to write.
        target: where to write.
        advance: is told the size of each blob in bytes, also of one that is left out.
        unpacked: chain ids of layers that the reader has; they are left out.
    """
    manifest = json.loads(_blob(image, image.digest).read_text(encoding="utf-8"))
    layers = [layer["digest"] for layer in manifest["layers"]]
    settings = json.loads(_blob(image, manifest["config"]["digest"]).read_text(encoding="utf-8"))
    chain = _chain(settings["rootfs"]["diff_ids"])
    needed = [layer for layer, each in zip(layers, chain, strict=True) if each not in unpacked]
    wanted = dict.fromkeys([image.digest, manifest["config"]["digest"], *needed])
    advance(sum(_blob(image, each).stat().st_size for each in set(layers) - wanted.keys()))
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": manifest["mediaType"],
                "digest": image.digest,
                "size": _blob(image, image.digest).stat().st_size,
                "annotations": {"io.containerd.image.name": image.reference},
            }
        ],
    }
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        _member(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _member(tar, "index.json", json.dumps(index).encode())
        for digest in wanted:
            file = _blob(image, digest)
            info = tarfile.TarInfo(f"blobs/sha256/{digest.removeprefix('sha256:')}")
            info.size = file.stat().st_size
            with file.open("rb") as content:
                tar.addfile(info, content)
            advance(info.size)


def _chain(layers: Iterable[str]) -> list[str]:
    """The chain id of each layer: it names the layer together with all that lie below.

    Specification: github.com/opencontainers/image-spec, config.md, "Layer ChainID".
    """
    found: list[str] = []
    for layer in layers:
        both = f"{found[-1]} {layer}".encode() if found else None
        found.append(f"sha256:{hashlib.sha256(both).hexdigest()}" if both else layer)
    return found


def _member(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _blob(image: BuiltImage, digest: str) -> Path:
    return image.layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def _size(image: BuiltImage) -> int:
    manifest = json.loads(_blob(image, image.digest).read_text(encoding="utf-8"))
    return sum(int(layer["size"]) for layer in manifest["layers"])
