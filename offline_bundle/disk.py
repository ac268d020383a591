"""Room on a disk, asked for before the first byte is written."""

from __future__ import annotations

import os
from pathlib import Path

from mlops_infra.errors import OperationFailed


def require(folder: Path, size: int, files: int, *, what: str, hint: str) -> None:
    """Refuse to begin `what` where the disk of `folder` lacks `size` bytes or `files` inodes.

    Raises:
        OperationFailed: with what is needed and what is there.
    """
    there = os.statvfs(folder)
    free = there.f_bavail * there.f_frsize
    if free < size:
        raise OperationFailed(
            f"{what} needs {_size_text(size)} more, the disk has {_size_text(free)} free",
            where=str(folder),
            hint=f"free some space there, or {hint}",
        )
    # file systems without a fixed number of inodes report none
    if there.f_files and there.f_favail < files:
        raise OperationFailed(
            f"{what} needs {files} more files, the file system has {there.f_favail} free",
            where=str(folder),
            hint=f"remove some files there, or {hint}",
        )


def _size_text(size: int) -> str:
    return f"{size:,} bytes ({size / (1 << 30):.2f} GiB)"
