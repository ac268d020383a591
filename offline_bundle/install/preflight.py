"""Room on the disk, asked for before the first byte is written."""

from __future__ import annotations

from pathlib import Path

from offline_bundle import disk as room
from offline_bundle import layout
from offline_bundle.volumes import Source

UNPACKED = 4
"""Wheels and plugins take about that many times their size when they are unpacked."""
SPARE = 64 << 20
FILES_PER_WHEEL = 400


def needed(source: Source, *, copy: bool) -> tuple[int, int]:
    """Bytes and files that an installation of `source` writes, on the safe side."""
    size = files = 0
    for entry in source.contents.entries:
        pieces = source.pieces(entry)
        if copy or len(pieces) > 1:
            size += entry.size
        files += 1
        top = entry.path.partition("/")[0]
        if top in {layout.WHEELS, layout.PLUGINS}:
            size += UNPACKED * entry.size
            files += FILES_PER_WHEEL
        elif top == layout.BINARIES:
            size += entry.size
    return size + SPARE, files


def require(root: Path, source: Source, *, copy: bool) -> None:
    """Refuse an installation that the disk cannot hold.

    Raises:
        OperationFailed: with what is needed and what is there.
        MissingError: a volume is missing.
    """
    here = root.absolute()
    while not here.exists():
        here = here.parent
    size, files = needed(source, copy=copy)
    room.require(here, size, files, what="the installation", hint="choose another --root")
