"""Bytes and inodes, asked for before the first byte is fetched."""

from __future__ import annotations

from pathlib import Path

from offline_bundle import disk as room
from offline_bundle import layout
from offline_bundle.model import Lock

_SLACK = 16 << 20
"""Lists, folders and what a file system takes for itself."""
_BLOCK = 4096


def required(lock: Lock, folder: Path, held: frozenset[str]) -> tuple[int, int]:
    """Bytes and inodes that the build of `lock` in `folder` still needs."""
    size, count = _SLACK, 64
    for digest, whole in lock.blobs.items():
        encoded = digest.partition(":")[2]
        if encoded in held or _size(layout.blob_file(folder, digest)) == whole:
            continue
        partial = folder / layout.PARTIAL / digest.replace(":", "-")
        size += _on_disk(max(0, whole - (_size(partial) or 0)))
        count += 1
    for file in lock.files:
        size += _on_disk(file.size)
        count += 4 if file.kind == "wheel" else 1  # beside it its metadata and two pages
    return size, count


def require(lock: Lock, folder: Path, held: frozenset[str] = frozenset()) -> None:
    """Refuse a build that the disk of `folder` cannot hold.

    Raises:
        OperationFailed: with what is needed and what is there.
    """
    size, count = required(lock, folder, held)
    room.require(folder, size, count, what="the bundle", hint="choose another, or --force")


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return None


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
