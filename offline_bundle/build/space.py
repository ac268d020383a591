"""Bytes and inodes, asked for before the first byte is fetched."""

from __future__ import annotations

import os
from pathlib import Path

from mlops_infra.errors import OperationFailed
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
    there = os.statvfs(folder)
    free = there.f_bavail * there.f_frsize
    if free < size:
        raise OperationFailed(
            f"the bundle still needs {_told(size)}, the disk has {_told(free)} left",
            where=str(folder),
            hint="free some space, choose another folder, or --force",
        )
    # file systems without a fixed number of inodes report none
    if there.f_files and there.f_favail < count:
        raise OperationFailed(
            f"the bundle still needs {count} files, the file system has room for {there.f_favail}",
            where=str(folder),
            hint="choose another file system, or --force",
        )


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return None


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _told(size: int) -> str:
    return f"{size:,} bytes ({size / (1 << 30):.2f} GiB)"
