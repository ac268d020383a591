"""Reads the files of one bundle, wherever they lie: a folder, volumes, a difference and its base.

Push, verify, serve and install read through this and through nothing else, from media that are
never written to. Which folder a file comes from does not matter: `bundle.json` says what it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_infra.errors import FoundError, InputError, MissingError
from offline_bundle import layout
from offline_bundle.sealing import contents as listing
from offline_bundle.sealing.contents import Contents, Entry
from offline_bundle.volumes import header as headers
from offline_bundle.volumes.delta import Delta
from offline_bundle.volumes.delta import parse as parse_delta
from offline_bundle.volumes.header import Chunk, Header

MAX_READ = 64 << 20
"""`read` is for manifests and lists; the specification expects registries to take 4 MiB."""
_BLOCK = 1 << 20


class ForeignVolume(FoundError):
    """A folder belongs to another bundle than the others."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file on disk."""

    file: Path
    start: int
    length: int


@dataclass(frozen=True)
class Folder:
    """One medium, or one folder."""

    path: Path
    header: Header | None
    delta: Delta | None

    def file(self, path: str, size: int) -> Path | None:
        """The regular file at `path` if it has `size`; links are never followed."""
        file = self.path / path
        try:
            found = file.lstat()
        except OSError:
            return None
        return file if stat.S_ISREG(found.st_mode) and found.st_size == size else None


@dataclass(frozen=True)
class Source:
    """The files of one bundle."""

    raw: bytes
    """bundle.json as it lies there; what a signature is about."""
    contents: Contents
    folders: tuple[Folder, ...]
    """Those of this bundle first, then those of the base of a difference."""

    @cached_property
    def identity(self) -> str:
        """sha256 of bundle.json."""
        return listing.identity(self.raw)

    @cached_property
    def _chunks(self) -> dict[str, list[tuple[Path, Chunk]]]:
        found: dict[str, dict[int, tuple[Path, Chunk]]] = {}
        for folder in self.folders:
            if folder.header is None:
                continue
            # of all volumes: a folder of parts that were kept (see `staging`) has parts of several
            for chunk in (each for volume in folder.header.volumes for each in volume.chunks):
                file = folder.file(chunk.file, chunk.size)
                if file is not None:
                    found.setdefault(chunk.path, {})[chunk.offset] = (file, chunk)
        return {path: [parts[at] for at in sorted(parts)] for path, parts in found.items()}

    def pieces(self, entry: Entry, start: int = 0, length: int | None = None) -> tuple[Piece, ...]:
        """Where bytes `start` to `start + length` of `entry` lie, in order.

        Raises:
            MissingError: not all of them are here.
        """
        whole = self._locate(entry)
        if whole is None:
            labels = self.labels_of(entry.path)
            raise MissingError(
                f"{entry.path} is missing" + (f": it is on {', '.join(labels)}" if labels else ""),
                where=", ".join(str(folder.path) for folder in self.folders),
                hint="provide all volumes, and the base of a differential bundle",
            )
        end = entry.size if length is None else min(entry.size, start + length)
        return tuple(_cut(whole, start, end))

    def has(self, entry: Entry) -> bool:
        """Whether all bytes of `entry` are here; nothing is hashed."""
        return self._locate(entry) is not None

    def _locate(self, entry: Entry) -> tuple[Piece, ...] | None:
        for folder in self.folders:
            file = folder.file(entry.path, entry.size)
            if file is not None:
                return (Piece(file, 0, entry.size),)
        parts, at = [], 0
        for file, chunk in self._chunks.get(entry.path, ()):
            if chunk.offset != at:
                return None
            parts.append(Piece(file, 0, chunk.size))
            at += chunk.size
        return tuple(parts) if parts and at == entry.size else None

    def stream(
        self, entry: Entry, start: int = 0, length: int | None = None, block: int = _BLOCK
    ) -> Iterator[bytes]:
        """Bytes of `entry` in blocks.

        Raises:
            MissingError: not all of them are here, or a medium was taken away meanwhile.
        """
        for piece in self.pieces(entry, start, length):
            handle = os.open(piece.file, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb", buffering=0) as file:
                file.seek(piece.start)
                left = piece.length
                while left:
                    data = file.read(min(block, left))
                    if not data:
                        raise MissingError("the file became shorter", where=str(piece.file))
                    left -= len(data)
                    yield data

    def read(self, entry: Entry) -> bytes:
        """All of a small file, compared with its sha256.

        Raises:
            MissingError: it is not here.
            FoundError: it is not what bundle.json says.
        """
        if entry.size > MAX_READ:
            raise InputError(f"{entry.path} is too large to be read at once")
        data = b"".join(self.stream(entry))
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise FoundError(
                f"{entry.path} is damaged",
                [entry.path],
                hint="`mlops-infra bundle verify DIR` lists all damaged files",
            )
        return data

    def json(self, path: str) -> Any:
        """The JSON document at `path` of the bundle; the same errors as `read`."""
        entry = self.contents.by_path.get(path)
        if entry is None:
            raise FoundError(f"the bundle has no {path}", [path])
        try:
            return json.loads(self.read(entry))
        except ValueError as error:
            raise FoundError(f"{path} is not valid JSON: {error}", [path]) from error

    @cached_property
    def missing(self) -> tuple[Entry, ...]:
        """Files of the bundle that are not here, sorted by path."""
        return tuple(entry for entry in self.contents.entries if not self.has(entry))

    def labels_of(self, path: str) -> tuple[str, ...]:
        """Labels of the volumes to fetch for `path`: those that hold it and are not here."""
        mine = [each.header for each in self.folders if each.header is not None]
        mine = [header for header in mine if header.identity == self.identity]
        here = {header.label(header.number) for header in mine}
        return tuple(label for label in mine[0].label_of(path) if label not in here) if mine else ()


def _cut(whole: Sequence[Piece], start: int, end: int) -> Iterator[Piece]:
    at = 0
    for piece in whole:
        first, last = max(start, at), min(end, at + piece.length)
        if first < last:
            yield Piece(piece.file, piece.start + first - at, last - first)
        at += piece.length


def open_source(
    folders: Sequence[Path], *, base: Sequence[Path] = (), staging: Path | None = None
) -> Source:
    """Open the bundle in `folders`: one folder, or volumes of one set in any order.

    `base` is the bundle that a difference was made against, `staging` a folder with parts of files
    from volumes that were here before. Nothing is hashed and no signature is checked here:
    `offline_bundle.verify` does that.

    Raises:
        InputError: there is no bundle, or its list or a header cannot be read.
        ForeignVolume: the folders belong to different bundles.
    """
    if not folders:
        raise InputError("no folder of a bundle was given")
    opened = [_open(path) for path in folders]
    raw = opened[0][0]
    for path, (other, folder) in zip(folders, opened, strict=True):
        if folder.header is not None and folder.header.identity != listing.identity(other):
            file = str(path / layout.BUNDLE)
            raise FoundError(f"{file} is damaged: the volume belongs to another file", [file])
        if other != raw:
            raise ForeignVolume(
                f"{path} belongs to another bundle than {folders[0]}",
                [str(path)],
                hint="use volumes of one set: their labels begin with the same twelve digits",
            )
    based = [_open(path)[1] for path in base]
    header = opened[0][1].header
    if staging is not None and header is not None:
        based.append(Folder(staging / listing.identity(raw).partition(":")[2], header, None))
    return Source(raw, listing.parse(raw), (*(folder for _, folder in opened), *based))


def _open(path: Path) -> tuple[bytes, Folder]:
    try:
        raw = (path / layout.BUNDLE).read_bytes()
    except OSError as error:
        raise InputError(
            f"not a bundle: {layout.BUNDLE} cannot be read: {error.strerror}",
            where=str(path),
            hint="`mlops-infra bundle build LOCK -o DIR` writes one, or completes it",
        ) from error
    volume, delta = path / layout.VOLUME, path / layout.DELTA
    return raw, Folder(
        path,
        headers.parse(volume.read_bytes()) if volume.exists() else None,
        parse_delta(delta.read_bytes()) if delta.exists() else None,
    )
