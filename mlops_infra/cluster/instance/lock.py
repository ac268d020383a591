"""One command at a time works on one cluster; a second one waits, then goes on."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops_infra import places
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step

PATIENCE = 300.0
"""Seconds to wait for another command: a cold start that compiles nothing ends well within."""


@contextmanager
def exclusive(layout: Layout, sink: Sink, *, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of this cluster for the length of the block.

    Raises:
        OperationFailed: another command held it for `patience` seconds.
    """
    file = layout.folder.parent / f".{layout.name}.lock"
    descriptor = _take(file)
    if descriptor is None:
        descriptor = _wait(file, layout, sink, patience)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    try:
        yield
    finally:
        # removed while held: whoever waits on the old file sees that the name is gone and retries
        if not layout.folder.exists():
            file.unlink(missing_ok=True)
            with suppress(OSError):  # other clusters live there
                file.parent.rmdir()
        os.close(descriptor)


def _take(file: Path) -> int | None:
    try:
        places.private(file.parent)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except (FileNotFoundError, FileExistsError):
        if file.parent.is_file():
            raise
        return None  # the last holder has just taken the empty folder away
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == file.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _wait(file: Path, layout: Layout, sink: Sink, patience: float) -> int:
    deadline = time.monotonic() + patience
    with step(sink, f"Waiting for another command on cluster {layout.name}") as work:
        work.note(f"process {_owner(file)}")
        while time.monotonic() < deadline:
            descriptor = _take(file)
            if descriptor is not None:
                return descriptor
            time.sleep(0.1)
    raise OperationFailed(
        f"another command (process {_owner(file)}) is still working on cluster {layout.name}",
        where=str(file),
        hint="wait for it or stop it, then run the command again",
    )


def _owner(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip() or "unknown"
    except FileNotFoundError:
        return "unknown"
