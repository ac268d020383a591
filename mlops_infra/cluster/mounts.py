"""mount(2) for the supervisor, without starting a program for each.

Source of the numbers: include/uapi/linux/mount.h.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

NOSUID, NODEV, NOEXEC, READ_ONLY = 2, 4, 8, 1
REMOUNT, BIND, RECURSIVE, SHARED = 32, 4096, 16384, 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount `source` on `target`.

    Raises:
        OSError: the kernel refused; the message names both.
    """
    answer = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode()
    )
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind or 'bind'} {source}: {os.strerror(code)}", str(target))


def bind(source: Path, target: Path, *, read_only: bool = False) -> None:
    """Show the file or folder `source` at `target`, which is made where it is missing."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(str(source), target, flags=BIND | RECURSIVE)
    if read_only:
        mount("", target, flags=BIND | REMOUNT | READ_ONLY)


def tmpfs(target: Path, *, mode: str = "755", size: str = "64m", flags: int = NOSUID) -> None:
    """An empty file system in memory."""
    target.mkdir(parents=True, exist_ok=True)
    mount("tmpfs", target, "tmpfs", flags, f"mode={mode},size={size}")


def kind_of(path: Path) -> str:
    """File system type under `path`, from `/proc/self/mounts`."""
    best, kind = "", ""
    whole = str(path.resolve())
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, target, found, *_ = line.split()
        target = target.replace("\\040", " ")
        inside = whole == target or whole.startswith(target.rstrip("/") + "/")
        if inside and len(target) >= len(best):
            best, kind = target, found
    return kind
