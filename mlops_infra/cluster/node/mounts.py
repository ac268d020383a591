"""mount(2) and its kin for the supervisor, without starting a program for each.

Source of the numbers: include/uapi/linux/mount.h and sched.h.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

NOSUID, NODEV, NOEXEC, READ_ONLY = 2, 4, 8, 1
REMOUNT, BIND, RECURSIVE, PRIVATE, SHARED = 32, 4096, 16384, 1 << 18, 1 << 20
_DETACH, _NEW_SPACE = 2, 0x00020000

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
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(str(source), target, flags=BIND | RECURSIVE)
    if read_only:
        mount("", target, flags=BIND | REMOUNT | READ_ONLY)


def tmpfs(target: Path, *, mode: str = "755", size: str = "64m", flags: int = NOSUID) -> None:
    """An empty file system in memory."""
    target.mkdir(parents=True, exist_ok=True)
    mount("tmpfs", target, "tmpfs", flags, f"mode={mode},size={size}")


def own_space(root: Path) -> None:
    """Give this process a mount namespace whose root is `root`; all else is gone from it.

    Not chroot: a container enters its namespace by setns(2), which goes to the namespace's root, so
    the host's files must not be there.

    Raises:
        OSError: the kernel refused one of the steps.
    """
    _checked(_libc.unshare(_NEW_SPACE), "unshare", root)
    mount("", Path("/"), flags=RECURSIVE | PRIVATE)
    os.chdir(root)
    _checked(_libc.pivot_root(b".", b"."), "pivot_root", root)
    _checked(_libc.umount2(b".", _DETACH), "umount", root)
    os.chdir("/")
    mount("", Path("/"), flags=RECURSIVE | SHARED)


def enter_space(descriptor: int) -> None:
    """Move this process into the mount namespace that `descriptor` refers to; OSError if not."""
    _checked(_libc.setns(descriptor, _NEW_SPACE), "setns", Path("/"))


def _checked(answer: int, call: str, path: Path) -> None:
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}", str(path))


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
