"""Lays a sealed bundle out as volumes: folders that fit on a medium each, written once.

Every volume is an OCI layout of its own from which blobs are missing, which the specification
allows; it also has the signed list of the whole, and the plan of what lies where.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, Step, quiet, step
from offline_bundle import layout
from offline_bundle.sealing.contents import Entry
from offline_bundle.volumes.header import Chunk, Header, Volume
from offline_bundle.volumes.images import manifests
from offline_bundle.volumes.packing import Packed, Part, pack, room
from offline_bundle.volumes.source import Source, open_source

_DIGEST_ROOM = 260
"""Bytes that a part takes in the header, its path aside."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Split:
    """The volumes that were made, in order."""

    folders: tuple[Path, ...]
    identity: str


def split(folder: Path, out: Path, volume_size: int, *, sink: Sink = quiet) -> Split:
    """Make volumes of at most `volume_size` bytes below `out` from the sealed bundle `folder`.

    Whole files become hard links where `out` is on the same file system. A set of the same bundle
    and size that is there already is replaced.

    Raises:
        InputError: `volume_size` does not hold the lists that every volume needs.
        OperationFailed: the disk cannot take it; said before the first byte where it can be known.
    """
    source = open_source([folder])
    everywhere, sizes = _divide(source)
    volumes = _fit(source, everywhere, sizes, volume_size)
    out.mkdir(parents=True, exist_ok=True)
    _require_space(source, volumes, folder, out)
    total = sum(part.size for volume in volumes for part in volume.parts)
    with step(sink, "Splitting large files", total=total, unit="bytes") as work:
        chunked = [
            Volume(tuple(sorted(v.files)), tuple(sorted(_hashed(source, v.parts, work))))
            for v in volumes
        ]
    plan = Header(source.identity, 1, everywhere, tuple(chunked))
    made = []
    with step(sink, "Writing volumes", total=len(chunked), unit="volumes") as work:
        for number in range(1, len(chunked) + 1):
            header = Header(plan.identity, number, plan.everywhere, plan.volumes)
            made.append(_write(source, folder, out, header))
            work.advance()
    return Split(tuple(made), source.identity)


def _divide(source: Source) -> tuple[tuple[str, ...], dict[str, int]]:
    """Paths that go into every volume, and the sizes of those that go into one."""
    small = {layout.OCI_LAYOUT, layout.INDEX, layout.LOCK, layout.LICENCES}
    small |= {layout.blob_path(digest) for digest in manifests(source)}
    here = [entry for entry in source.contents.entries if source.has(entry)]
    everywhere = tuple(entry.path for entry in here if entry.path in small)
    return everywhere, {entry.path: entry.size for entry in here if entry.path not in small}


def _fit(
    source: Source, everywhere: tuple[str, ...], sizes: dict[str, int], volume_size: int
) -> list[Packed]:
    """Pack so that the lists fit as well; they grow with the number of parts."""
    lists = [len(source.raw), *(source.contents.by_path[path].size for path in everywhere)]
    for name in (layout.SIGNATURE, layout.SIGSTORE, layout.DELTA):
        file = source.folders[0].path / name
        lists.append(file.stat().st_size if file.exists() else 0)
    fixed = sum(room(size) for size in lists)
    named = sum(len(path) + 8 for path in (*everywhere, *sizes))
    header = named + 1024
    while True:
        capacity = volume_size - fixed - room(header)
        if capacity < 2 * room(1):
            raise InputError(
                f"a volume of {volume_size} bytes is too small for the lists",
                hint=f"make them at least {2 * (fixed + room(header))} bytes",
            )
        packed = pack(sizes, capacity)
        parts = [part for volume in packed for part in volume.parts]
        needed = named + 1024 + 64 * len(packed)
        needed += sum(len(part.path) + _DIGEST_ROOM for part in parts)
        if needed <= header:
            return packed
        header = needed + header // 8


def _hashed(source: Source, parts: Iterable[Part], work: Step) -> Iterable[Chunk]:
    for part in parts:
        digest = hashlib.sha256()
        for block in source.stream(_entry(source, part.path), part.offset, part.size):
            digest.update(block)
            work.advance(len(block))
        yield Chunk(part.path, part.offset, part.size, digest.hexdigest())


def _entry(source: Source, path: str) -> Entry:
    return source.contents.by_path[path]


def _write(source: Source, folder: Path, out: Path, header: Header) -> Path:
    target = out / header.label(header.number)
    making = out / f".{target.name}.partial"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    mine = header.volumes[header.number - 1]
    copies = [name for name in sorted(layout.UNLISTED) if (folder / name).exists()]
    try:
        for path in (*copies, *header.everywhere, *mine.files):
            _bring(folder / path, making / path)
        for chunk in mine.chunks:
            file = making / chunk.file
            file.parent.mkdir(exist_ok=True)
            with file.open("wb") as opened:
                entry = _entry(source, chunk.path)
                for block in source.stream(entry, chunk.offset, chunk.size):
                    opened.write(block)
        (making / layout.VOLUME).write_bytes(header.encode())
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise OperationFailed(
            f"the volume cannot be written: {error.strerror}", where=str(target)
        ) from error
    if target.exists():
        shutil.rmtree(target)
    making.replace(target)
    return target


def _bring(file: Path, target: Path) -> None:
    """A hard link where that can be had: it costs nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}:
            raise
        shutil.copyfile(file, target)


def _require_space(source: Source, volumes: list[Packed], folder: Path, out: Path) -> None:
    needed = sum(part.size for volume in volumes for part in volume.parts)
    if folder.stat().st_dev != out.stat().st_dev:
        sizes = source.contents.by_path
        needed += sum(sizes[path].size for volume in volumes for path in volume.files)
    found = shutil.disk_usage(out).free
    if needed > found:
        raise OperationFailed(
            f"the volumes take {needed} bytes, {found} are free",
            where=str(out),
            hint="write them to another disk",
        )
