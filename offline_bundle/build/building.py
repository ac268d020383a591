"""The order of a build."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_infra import files
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, step
from offline_bundle import layout, lockfile
from offline_bundle.build import licences, space, tidying, writer
from offline_bundle.differential.base import read_base
from offline_bundle.differential.thin import thin
from offline_bundle.fetch import BlobStore, fetch
from offline_bundle.indexing import index
from offline_bundle.model import Descriptor, Lock, LockedImage
from offline_bundle.pack import document, pack
from offline_bundle.registry import Registries, Settings
from offline_bundle.sealing import Sealed, seal
from offline_bundle.volumes import split


@dataclass(frozen=True, slots=True)
class Built:
    """A bundle that is complete."""

    folder: Path
    identity: str
    """sha256 of bundle.json."""
    signed: bool
    size: int
    """Bytes of all files that it consists of."""
    fetched: int
    """Blobs that came from registries in this run."""
    present: int
    """Blobs that an earlier run had left."""
    volumes: tuple[Path, ...] = ()
    absent: int = 0
    """Files that a differential bundle leaves to its base."""


def build(
    lock: Lock,
    folder: Path,
    settings: Settings,
    sink: Sink,
    *,
    key: Path | None = None,
    since: Sequence[Path] = (),
    volumes: Path | None = None,
    volume_size: int | None = None,
    force: bool = False,
) -> Built:
    """Make the bundle of `lock` in `folder`: an empty one, or that of an earlier build.

    Args:
        lock: what goes in.
        folder: an OCI image layout in the end, with everything else beside the images.
        settings: how registries are reached; what they do not say of a host, its lock says.
        sink: for progress.
        key: private key to sign with; the bundle is not signed where it is None.
        since: a receipt, or the folders of an earlier bundle: what that has is left out.
        volumes: folder for volumes of `volume_size` bytes each, written beside the bundle.
        volume_size: bytes.
        force: go on though the disk looks too small.

    Raises:
        DigestMismatch, RegistryError: a registry sends other bytes than were locked, or fails.
        OperationFailed: the disk is full, or a file is not what was locked any more.
        InputError: `folder` holds something else.
        BundleLocked: another process builds there.
    """
    if (volumes is None) != (volume_size is None):
        raise InputError("volumes need both a folder and a size")
    base = read_base(list(since)) if since else None
    held = base.held if base else frozenset()
    with writer.only_writer(folder):
        if not force:
            space.require(lock, folder, held)
        tidying.reopen(folder)
        store = BlobStore(folder)
        omit = frozenset(d for d in lock.blobs if d.partition(":")[2] in held)
        with Registries(settings.remembering(lock.hosts)) as registries:
            came = fetch(lock.images, store, registries, sink, omit=omit)
        _bring_recipes(lock, store, omit, sink)
        sealed = _finish(lock, folder, key, held, sink)
        absent = len(thin(folder, base).absent) if base else 0
        tidying.close(folder)
    made = split(folder, volumes, volume_size, sink=sink).folders if volumes and volume_size else ()
    return Built(
        folder=folder,
        identity=sealed.identity,
        signed=sealed.signed,
        size=sum(entry.size for entry in sealed.contents.entries),
        fetched=came.blobs,
        present=came.present,
        volumes=tuple(made),
        absent=absent,
    )


def _finish(lock: Lock, folder: Path, key: Path | None, held: frozenset[str], sink: Sink) -> Sealed:
    charts = pack(lock, folder, sink)
    tidying.tidy(folder, lock, _chart_blobs(folder, charts))
    files.write(folder / layout.OCI_LAYOUT, layout.OCI_LAYOUT_CONTENT)
    files.write(folder / layout.INDEX, index(lock.images, charts))
    lockfile.write_lock(lock, folder / layout.LOCK)
    files.write(folder / layout.LICENCES, licences.report(lock))
    (folder / layout.SBOM).mkdir()
    files.write(folder / layout.BUNDLE_SBOM, document(lock))
    tidying.settle(folder)
    return seal(folder, lock, key=key, held=held, sink=sink)


def _bring_recipes(lock: Lock, store: BlobStore, omit: frozenset[str], sink: Sink) -> None:
    wanted = [image for image in lock.images if image.recipe]
    total = sum({b.digest: b.size for image in wanted for b in image.blobs}.values())
    with step(sink, f"Building {len(wanted)} images", total=total, unit="bytes") as work:
        done: set[str] = set()
        for image in wanted:
            folder = _layout_of(image, sink)
            for blob in image.blobs:
                if blob.digest in done:
                    continue
                done.add(blob.digest)
                if blob.digest not in omit and not store.has(blob.digest, blob.size):
                    store.bring(layout.blob_file(folder, blob.digest), blob.digest)
                work.advance(blob.size)


def _layout_of(image: LockedImage, sink: Sink) -> Path:
    from mlops_infra import images as recipes  # 0.2 s to load, and only these bundles need it

    assert image.recipe is not None  # noqa: S101  the caller has looked
    built = recipes.build(image.recipe, sink)
    if built.digest != image.digest:
        raise OperationFailed(
            f"the recipe {image.recipe} makes {built.digest} now, locked is {image.digest}",
            where=image.reference,
            hint="create the lock again: `mlops-infra bundle lock -s STACK -o LOCK`",
        )
    return built.layout


def _chart_blobs(folder: Path, charts: Sequence[Descriptor]) -> set[str]:
    found = set()
    for chart in charts:
        manifest = json.loads(layout.blob_file(folder, chart.digest).read_bytes())
        found |= {chart.digest, manifest["config"]["digest"]}
        found |= {item["digest"] for item in manifest["layers"]}
    return found
