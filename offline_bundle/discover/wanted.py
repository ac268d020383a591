"""What a bundle has to hold, before anybody has looked how large it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from offline_bundle.model import FileKind, Found


@dataclass(frozen=True, slots=True)
class WantedImage:
    """An image by reference; `recipe` where it is built here."""

    reference: str
    found: tuple[Found, ...]
    recipe: str | None = None
    licence: str | None = None
    """What the catalog says of it; None where the image itself is asked."""


@dataclass(frozen=True, slots=True)
class WantedFile:
    """Anything else, and where it is taken from; see `fetch.files`."""

    kind: FileKind
    name: str
    version: str
    filename: str
    source: str
    found: tuple[Found, ...]
    licence: str | None = None
    sha256: str | None = None
    """Where it is known already."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Everything, each thing once; images by reference, files by kind and name."""

    stack: str | None
    platform: str
    python: str
    images: tuple[WantedImage, ...] = ()
    files: tuple[WantedFile, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know: things that are left out, and why that is right."""

    def listed(self) -> Iterator[tuple[str, str, tuple[Found, ...]]]:
        """Kind, name and places of each; what `verify.closure` compares with a lock."""
        for image in self.images:
            yield "image", image.reference, image.found
        for file in self.files:
            name = file.name if file.kind == "file" else f"{file.name} {file.version}".rstrip()
            yield file.kind, name, file.found


def merged(images: Iterable[WantedImage]) -> tuple[WantedImage, ...]:
    """Each reference once, with all the places where it was found."""
    by_reference: dict[str, WantedImage] = {}
    for image in images:
        known = by_reference.get(image.reference)
        if known is None:
            by_reference[image.reference] = image
            continue
        by_reference[image.reference] = WantedImage(
            image.reference,
            tuple(dict.fromkeys((*known.found, *image.found))),
            known.recipe or image.recipe,
            known.licence or image.licence,
        )
    return tuple(by_reference[key] for key in sorted(by_reference))
