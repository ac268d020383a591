"""Writes a tree as a tar layer whose bytes depend on the tree alone."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from mlops_infra.images.tree import Entry, Slice, Tree

EPOCH = 1735689600
"""Time stamp of every file and image, 2025-01-01T00:00:00Z: builds of another day are the same."""

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"
"""Not compressed: see docs/decisions/0004-images-without-a-daemon.md for the measurements."""

_BLOCK = 1 << 20


class _Hashing:
    """A file that knows the SHA-256 and the length of what was written to it."""

    def __init__(self, file: IO[bytes], advance: Callable[[int], None]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._advance = advance
        self._unsaid = 0
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        self._unsaid += len(data)
        if self._unsaid >= 32 * _BLOCK:
            self._advance(self._unsaid)
            self._unsaid = 0
        return self._file.write(data)

    def tell(self) -> int:
        return self.size

    def digest(self) -> str:
        return "sha256:" + self._hash.hexdigest()


def write(tree: Tree, target: Path, advance: Callable[[int], None]) -> tuple[str, int]:
    """Write `tree` to the file `target`; return its digest (`sha256:…`) and size in bytes.

    Names and attributes are sorted and fixed: no user names, no time but `EPOCH`.
    """
    tree.complete()
    with target.open("wb") as file:
        sink = _Hashing(file, advance)
        # "w|" would pad to 10 KiB records through a buffer; a plain object with write() is enough
        with tarfile.open(fileobj=sink, mode="w:", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
            for path, entry in tree.items():
                _member(tar, path, entry)
    return sink.digest(), sink.size


def _member(tar: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mtime = EPOCH
    info.mode = entry.mode
    info.uid, info.gid = entry.uid, entry.gid
    if entry.kind == "dir":
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    elif entry.kind == "link":
        info.type = tarfile.SYMTYPE
        info.linkname = entry.target
        tar.addfile(info)
    elif isinstance(entry.content, Slice):
        info.size = entry.content.size
        with entry.content.open() as reader:
            tar.addfile(info, reader)
    else:
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))
