"""`volume.json`: which volume of which set this is, and what lies in each of them.

Nothing here has to be trusted: whole files and put-together ones are compared with the signed
list. The checksum tells a header that the medium has damaged from one that was never right.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from mlops_infra.errors import InputError
from offline_bundle import layout
from offline_bundle.sealing.paths import require_safe

FORMAT = "mlops-infra.volume/1"
MAX_VOLUMES = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


class VolumeError(InputError):
    """A volume's header cannot be read."""


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """A part of a file that is larger than a volume."""

    path: str
    """Of the whole file."""
    offset: int
    size: int
    sha256: str
    """Of this part, hex digits alone; also its name below `chunks/`."""

    @property
    def file(self) -> str:
        """Path of the part within its volume."""
        return f"{layout.CHUNKS}/{self.sha256}"


@dataclass(frozen=True, slots=True)
class Volume:
    """What one volume holds, beside what every volume holds."""

    files: tuple[str, ...]
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """The header of volume `number` (from 1); all volumes of a set agree on the rest."""

    identity: str
    """Of the bundle.json that the set belongs to."""
    number: int
    everywhere: tuple[str, ...]
    """Files that every volume has: what is needed to say what is missing."""
    volumes: tuple[Volume, ...]

    def label(self, number: int) -> str:
        """What to write on the medium, for example `3f2a9c41d07b-2of5`."""
        return f"{self.identity.partition(':')[2][:12]}-{number}of{len(self.volumes)}"

    @property
    def paths(self) -> frozenset[str]:
        """Files that belong into this volume, chunks too."""
        mine = self.volumes[self.number - 1]
        return frozenset((*self.everywhere, *mine.files, *(c.file for c in mine.chunks)))

    def label_of(self, path: str) -> tuple[str, ...]:
        """Labels of the volumes that hold `path` or parts of it."""
        return tuple(
            self.label(number)
            for number, each in enumerate(self.volumes, 1)
            if path in each.files or any(chunk.path == path for chunk in each.chunks)
        )

    def encode(self) -> bytes:
        """The bytes of `volume.json`."""
        raw: dict[str, Any] = {
            "format": FORMAT,
            "bundle": self.identity,
            "number": self.number,
            "label": self.label(self.number),
            "everywhere": list(self.everywhere),
            "volumes": [
                {
                    "files": list(each.files),
                    "chunks": [
                        {"path": c.path, "offset": c.offset, "size": c.size, "sha256": c.sha256}
                        for c in each.chunks
                    ],
                }
                for each in self.volumes
            ],
        }
        return _text({**raw, "checksum": hashlib.sha256(_text(raw)).hexdigest()})


def _text(raw: dict[str, Any]) -> bytes:
    return (json.dumps(raw, indent=1, ensure_ascii=True) + "\n").encode()


def parse(raw: bytes) -> Header:
    """Read the bytes of a `volume.json`.

    Raises:
        VolumeError: the medium has damaged it, or it never was one.
        UnsafePath: a path in it leaves its folder.
    """
    try:
        value = json.loads(raw)
        checksum = value.pop("checksum")
        if hashlib.sha256(_text(value)).hexdigest() != checksum or value["format"] != FORMAT:
            raise VolumeError(f"{layout.VOLUME} is damaged: wrong checksum")
        volumes = tuple(_volume(each) for each in value["volumes"])
        header = Header(
            identity=str(value["bundle"]),
            number=int(value["number"]),
            everywhere=tuple(require_safe(path) for path in value["everywhere"]),
            volumes=volumes,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise VolumeError(f"{layout.VOLUME} is damaged: {error}") from error
    if not 1 <= header.number <= len(volumes) <= MAX_VOLUMES:
        raise VolumeError(f"{layout.VOLUME} names volume {header.number} of {len(volumes)}")
    return header


def _volume(raw: Any) -> Volume:
    chunks = tuple(
        Chunk(require_safe(c["path"]), int(c["offset"]), int(c["size"]), str(c["sha256"]))
        for c in raw["chunks"]
    )
    if any(c.offset < 0 or c.size <= 0 or not _SHA256.fullmatch(c.sha256) for c in chunks):
        raise VolumeError(f"{layout.VOLUME} has a part without offset or size")
    return Volume(tuple(require_safe(path) for path in raw["files"]), chunks)
