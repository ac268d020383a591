"""Who works with an installation right now: an embedded cluster runs programs and images of it."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def users(root: Path) -> list[str]:
    """Processes whose program, command line, working folder or mounts lie below `root`.

    This process and those that it was started by do not count. What another user runs is seen by
    root alone.
    """
    mark = os.fsencode(f"{root.resolve()}/")
    own = _ancestors()
    found = []
    for folder in sorted(_PROC.glob("[0-9]*"), key=lambda each: int(each.name)):
        if int(folder.name) in own:
            continue
        words = _read(folder / "cmdline")
        # a process that has just been started, or has overwritten its title, has no command line
        program = _target(folder / "exe")
        places = (program, _target(folder / "cwd") + b"/", words, _read(folder / "mountinfo"))
        if any(mark in each for each in places):
            name = words.split(b"\0")[0] or program or b"a process without a command line"
            found.append(f"process {folder.name}: {os.fsdecode(name)}")
    return found


def _ancestors() -> set[int]:
    found, pid = set(), os.getpid()
    while pid and pid not in found:
        found.add(pid)
        # the second field is a name in brackets, which may hold anything
        fields = _read(_PROC / str(pid) / "stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return found


def _target(link: Path) -> bytes:
    try:
        return os.fsencode(link.readlink())
    except OSError:
        return b""  # as below; a thread of the kernel has no program


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended, or is somebody else's
