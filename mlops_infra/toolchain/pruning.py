"""Gives back the disk that only the making of tools needs."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from mlops_infra.files import remove_tree
from mlops_infra.progress import Sink, step
from mlops_infra.toolchain import store
from mlops_infra.toolchain.manifest import pins

_FOR_MAKING = ("go/mod", "go/build", "downloads")


def prune(sink: Sink) -> int:
    """Remove Go's module and build caches and what was downloaded; return the bytes freed.

    The tools stay. Only a new version of a tool needs these again, and gets them again. A tool
    that another process is making is waited for.
    """
    freed = 0
    with ExitStack() as held, step(sink, "Removing caches that only builds need") as work:
        for family in sorted({pin.family.name for pin in pins().values()}):
            held.enter_context(store.locked(family, work))
        for folder in (store.root() / name for name in _FOR_MAKING):
            freed += sum(
                _size(Path(at, name)) for at, _, names in os.walk(folder) for name in names
            )
            remove_tree(folder, missing_ok=True)
        work.end("done", f"{freed >> 20} MiB")
    return freed


def _size(file: Path) -> int:
    return file.lstat().st_size
