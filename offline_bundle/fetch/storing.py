"""Blobs of a bundle under construction: complete under their name, or partial under another.

A partial blob is bytes alone, in order: what a killed process has written is hashed again and
continued. Nothing reaches `blobs/` before its digest was computed from the bytes written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from mlops_infra.errors import OperationFailed
from offline_bundle import layout

BLOCK = 64 << 10
"""Bytes received, written and hashed at a time. Measured: more falls out of the processor's cache
(at 256 KiB the kernel takes twice the time for the same bytes), less costs system calls."""
_FILE_MODE = 0o644
_FOLDER_MODE = 0o755


class BlobStore:
    """The blobs in the folder of a bundle; safe to use from many threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamps = folder / layout.WORK / "stamps"
        self._known: dict[str, tuple[int, int, int]] | None = None
        self._lock = threading.Lock()
        self._made: set[Path] = set()

    def has(self, digest: str, size: int) -> bool:
        """Whether the blob is there whole: by a stamp of this build, else by hashing it again.

        A file that is not what its name says is taken away.
        """
        file = layout.blob_file(self.folder, digest)
        try:
            about = file.stat()
        except FileNotFoundError:
            return False
        if about.st_size == size:
            if self._stamped().get(digest) == _stamp(about):
                return True
            if hash_file(file, digest) == digest:
                self._record(digest, about)
                return True
        file.unlink()
        return False

    def partial(self, digest: str) -> Path:
        """The file that a blob grows in; its folder is made."""
        folder = self.folder / layout.PARTIAL
        self._make(folder)
        return folder / digest.replace(":", "-")

    def complete(self, partial: Path, digest: str) -> None:
        """Give a blob, whose digest was computed from what was written, its name."""
        file = layout.blob_file(self.folder, digest)
        self._make(file.parent)
        partial.chmod(_FILE_MODE)
        partial.replace(file)
        self._record(digest, file.stat())

    def put(self, content: bytes, digest: str) -> None:
        """Store a small blob whose digest was checked."""
        partial = self.partial(digest)
        partial.write_bytes(content)
        self.complete(partial, digest)

    def read(self, digest: str) -> bytes:
        """The content of a small blob."""
        return layout.blob_file(self.folder, digest).read_bytes()

    def bring(self, file: Path, digest: str) -> None:
        """Take a blob that lies elsewhere on this machine: a copy of its own, hashed as it is made.

        A link would be cheaper; whatever happens to it there would happen to the bundle too.

        Raises:
            OperationFailed: the file is not what its digest says.
            OSError: it cannot be read, or the disk is full.
        """
        partial = self.partial(digest)
        algorithm = digest.partition(":")[0]
        hashing = hashlib.new(algorithm)
        buffer = memoryview(bytearray(BLOCK))
        with file.open("rb", buffering=0) as reader, partial.open("wb", buffering=0) as writer:
            while count := reader.readinto(buffer):
                writer.write(buffer[:count])
                hashing.update(buffer[:count])
        got = f"{algorithm}:{hashing.hexdigest()}"
        if got != digest:
            partial.unlink()
            raise OperationFailed(
                f"a blob in the cache is damaged: expected {digest}, got {got}",
                where=str(file),
                hint="remove the cache folder 'images', then run it again: images are built anew",
            )
        self.complete(partial, digest)

    def _make(self, folder: Path) -> None:
        if folder in self._made:
            return
        for each in reversed((folder, *folder.parents)):
            if each.is_relative_to(self.folder) and not each.exists():
                with contextlib.suppress(FileExistsError):
                    each.mkdir(mode=_FOLDER_MODE)
                    each.chmod(_FOLDER_MODE)  # whatever the umask
        self._made.add(folder)

    def _stamped(self) -> dict[str, tuple[int, int, int]]:
        with self._lock:
            if self._known is None:
                self._known = {}
                lines = self._stamps.read_text().splitlines() if self._stamps.exists() else []
                for line in lines:
                    digest, *numbers = line.split(" ")
                    if len(numbers) == 3 and all(each.isdigit() for each in numbers):
                        size, mtime, inode = (int(each) for each in numbers)
                        self._known[digest] = (size, mtime, inode)
            return self._known

    def _record(self, digest: str, about: os.stat_result) -> None:
        stamps = self._stamped()
        with self._lock:
            stamps[digest] = _stamp(about)
            with self._stamps.open("a") as file:  # one short write: whole, or absent
                file.write(f"{digest} {' '.join(map(str, stamps[digest]))}\n")


def hash_file(
    file: Path,
    digest: str,
    advance: Callable[[int], None] | None = None,
    into: hashlib._Hash | None = None,
) -> str:
    """The digest of a file, in the algorithm of the digest given."""
    algorithm = digest.partition(":")[0]
    hashing = into or hashlib.new(algorithm)
    buffer = memoryview(bytearray(BLOCK))
    with file.open("rb", buffering=0) as reader:
        while count := reader.readinto(buffer):
            hashing.update(buffer[:count])
            if advance:
                advance(count)
    return f"{algorithm}:{hashing.hexdigest()}"


def _stamp(about: os.stat_result) -> tuple[int, int, int]:
    return about.st_size, about.st_mtime_ns, about.st_ino
