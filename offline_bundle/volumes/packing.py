"""Which file goes into which volume: first fit, largest first. Pure.

Whole files stay whole; a file larger than a volume is cut into parts that fill one volume each,
and its last part is packed like a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops_infra.errors import InputError

SECTOR = 2048
"""Bytes; the unit in which optical media and their file systems give out space."""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """Bytes `offset` to `offset + size` of the file `path`."""

    path: str
    offset: int
    size: int


@dataclass(slots=True)
class Packed:
    """What goes into one volume."""

    free: int
    """Bytes that are left, counted in whole sectors."""
    files: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def room(size: int) -> int:
    """Space that a file of `size` bytes takes: whole sectors and a directory record."""
    return -(-size // SECTOR) * SECTOR + SECTOR


def pack(sizes: Mapping[str, int], capacity: int) -> list[Packed]:
    """Distribute the files `sizes` (path to bytes) over as few volumes of `capacity` as fit.

    The result depends on the arguments alone.

    Raises:
        InputError: a volume cannot hold as much as one sector.
    """
    largest = (capacity // SECTOR - 1) * SECTOR
    if largest <= 0:
        raise InputError("the volumes are too small for their own lists", hint="use larger volumes")
    volumes: list[Packed] = []
    tails: dict[str, Part] = {}
    rest: dict[str, int] = {}
    for path, size in sorted(sizes.items()):
        if room(size) <= capacity:
            rest[path] = size
            continue
        full = (size - 1) // largest
        for number in range(full):
            part = Part(path, number * largest, largest)
            volumes.append(Packed(capacity - room(largest), [], [part]))
        tails[path] = Part(path, full * largest, size - full * largest)
        rest[path] = tails[path].size
    for path, size in sorted(rest.items(), key=lambda item: (-item[1], item[0])):
        target = next((each for each in volumes if each.free >= room(size)), None)
        if target is None:
            target = Packed(capacity)
            volumes.append(target)
        target.free -= room(size)
        if path in tails:
            target.parts.append(tails[path])
        else:
            target.files.append(path)
    return volumes
