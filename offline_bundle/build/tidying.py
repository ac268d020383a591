"""Leaves in a bundle's folder exactly what its lock asks for, with the same modes everywhere."""

from __future__ import annotations

import concurrent.futures
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from offline_bundle import layout
from offline_bundle.model import Lock
from offline_bundle.pack.packing import place

_FILE, _PROGRAM, _FOLDER = 0o644, 0o755, 0o755


def reopen(folder: Path) -> None:
    """Take away what says that the bundle is complete, before the first change to it."""
    for name in (*layout.UNLISTED, layout.INDEX):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / layout.WHEELS / "simple", ignore_errors=True)
    shutil.rmtree(folder / layout.SBOM, ignore_errors=True)


def tidy(folder: Path, lock: Lock, charts: Collection[str]) -> None:
    """Remove what an earlier lock had and this one has not; empty folders as well.

    Args:
        folder: of the bundle.
        lock: what is in it.
        charts: digests of the blobs that charts consist of.
    """
    wanted = {layout.blob_path(digest) for digest in (*lock.blobs, *charts)}
    for file in lock.files:
        if file.kind != "chart":
            wanted.add(place(file))
            if file.kind == "wheel":
                wanted.add(f"{place(file)}.metadata")
    if any(file.kind == "binary" for file in lock.files):
        wanted.add(layout.BINARY_SUMS)
    simple = f"{layout.WHEELS}/simple/"
    for top in (layout.BLOBS, layout.BINARIES, layout.PLUGINS, layout.WHEELS, layout.FILES):
        for path in sorted((folder / top).rglob("*"), reverse=True):
            name = path.relative_to(folder).as_posix()
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif name not in wanted and not name.startswith(simple):
                path.unlink()


def settle(folder: Path) -> None:
    """Give every file and folder its mode, whatever the umask, and have all of it on the disk."""
    files = []
    for name, folders, names in os.walk(folder):
        here = Path(name)
        if here == folder and layout.WORK in folders:
            folders.remove(layout.WORK)
        here.chmod(_FOLDER)
        programs = here == folder / layout.BINARIES
        for each in names:
            mode = _PROGRAM if programs and each != "SHA256SUMS" else _FILE
            (here / each).chmod(mode)
            files.append(here / each)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(_synced, files))


def close(folder: Path) -> None:
    """Remove what only a build needs."""
    shutil.rmtree(folder / layout.WORK)


def _synced(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
