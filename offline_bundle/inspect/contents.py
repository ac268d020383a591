"""What is in a bundle, for people: sizes, licences, where each thing is asked for, signatures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from mlops_infra.errors import InputError
from offline_bundle import layout, lockfile, references
from offline_bundle.model import Found
from offline_bundle.volumes import Source, open_source
from offline_bundle.volumes import images as contained

_BILLS = frozenset({"application/vnd.cyclonedx+json", "application/spdx+json", "text/spdx+json"})
"""Media types of bills of materials in JSON; attestations wrap theirs and are left alone."""


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image."""

    reference: str
    digest: str
    platforms: tuple[str, ...]
    size: int
    """Bytes of all its blobs; shared ones count in every image that has them."""
    licence: str | None
    signatures: int
    """Signatures, attestations and SBOMs that are carried with it."""
    found: tuple[str, ...]
    fetch: tuple[str, ...]
    """Volumes that have to be fetched before it is whole; empty when it is."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One chart, wheel, plugin, program or file."""

    kind: str
    name: str
    version: str
    size: int
    licence: str | None
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """A whole bundle, or what the given volumes have of it."""

    identity: str
    stack: str | None
    platform: str
    python: str
    signed: bool
    """Whether there is a signature; whether it is good says `verify`."""
    base: str | None
    """Identity of the base of a difference."""
    size: int
    missing: int
    """Bytes that are not in the given folders."""
    kinds: dict[str, int]
    """Bytes by kind of file."""
    images: tuple[ImageRow, ...]
    files: tuple[FileRow, ...]

    @property
    def licences(self) -> dict[str, int]:
        """How many images and files each licence has; `not stated` where none is."""
        found: dict[str, int] = {}
        stated = [*(row.licence for row in self.images), *(row.licence for row in self.files)]
        for licence in stated:
            name = licence or "not stated"
            found[name] = found.get(name, 0) + 1
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "licences": self.licences}


def inspect(folders: Sequence[Path]) -> Inspection:
    """Read the lists of a bundle (one folder, or volumes in any order); nothing is hashed.

    Raises:
        InputError, FoundError: there is no bundle, or its lists are damaged.
    """
    source = open_source(folders)
    lock = lockfile.parse_lock(_document(source, layout.LOCK).decode())
    kinds: dict[str, int] = {}
    for entry in source.contents.entries:
        kinds[entry.kind] = kinds.get(entry.kind, 0) + entry.size
    incomplete = contained.incomplete(source)
    return Inspection(
        identity=source.identity,
        stack=lock.stack,
        platform=lock.platform,
        python=lock.python,
        signed=any((folder.path / layout.SIGNATURE).is_file() for folder in source.folders),
        base=next((folder.delta.base for folder in source.folders if folder.delta), None),
        size=source.contents.size,
        missing=sum(entry.size for entry in source.missing),
        kinds=dict(sorted(kinds.items())),
        images=tuple(
            ImageRow(
                reference=image.reference,
                digest=image.digest,
                platforms=image.platforms,
                size=sum(blob.size for blob in image.blobs),
                licence=image.licence,
                signatures=len(image.attached),
                found=_places(image.found),
                fetch=_fetch(source, incomplete.get(image.reference, ())),
            )
            for image in lock.images
        ),
        files=tuple(
            FileRow(
                file.kind, file.name, file.version, file.size, file.licence, _places(file.found)
            )
            for file in lock.files
        ),
    )


def html(inspection: Inspection) -> str:
    """A page that needs nothing but itself; every value in it is escaped."""
    from jinja2 import Environment

    text = resources.files(__package__).joinpath("inspect.html.j2").read_text("utf-8")
    made = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters["bytes"] = _readable
    return made.from_string(text).render(bundle=inspection)


def licence_rows(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The rows of `licences.json`.

    Raises:
        InputError, FoundError: there is no bundle, or its lists are damaged.
    """
    items: list[dict[str, Any]] = json.loads(_document(open_source(folders), layout.LICENCES))[
        "items"
    ]
    return items


def bill(folders: Sequence[Path], image: str | None = None) -> bytes:
    """The bill of materials of the bundle, or the one that `image` carries.

    Raises:
        InputError: no such image, or it carries none; or there is no bundle.
    """
    source = open_source(folders)
    if image is None:
        return _document(source, layout.BUNDLE_SBOM)
    lock = lockfile.parse_lock(_document(source, layout.LOCK).decode())
    wanted = str(references.parse(image))
    found = next((each for each in lock.images if each.reference == wanted), None)
    if found is None:
        hint = "`mlops-infra bundle inspect DIR` lists them"
        raise InputError(f"the bundle has no image {wanted}", hint=hint)
    for attached in found.attached:
        entry = source.contents.blob(attached.descriptor.digest)
        manifest = json.loads(source.read(entry)) if entry else {}
        for layer in manifest.get("layers") or ():
            if layer["mediaType"] in _BILLS and (held := source.contents.blob(layer["digest"])):
                return source.read(held)
    raise InputError(f"{wanted} has no bill of materials")


def _document(source: Source, path: str) -> bytes:
    entry = source.contents.by_path.get(path)
    if entry is None:
        raise InputError(f"the bundle has no {path}", hint="build it again with this release")
    return source.read(entry)


def _readable(size: int) -> str:
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.2f} GB"


def _places(found: Iterable[Found]) -> tuple[str, ...]:
    return tuple(each.where for each in found)


def _fetch(source: Source, paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({label for path in paths for label in source.labels_of(path)}))
