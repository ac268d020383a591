"""Images that are built here: read out of the layout that the images room has made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mlops_infra import images as recipes
from mlops_infra.errors import OperationFailed
from mlops_infra.images import BuiltImage
from mlops_infra.progress import Sink
from offline_bundle import layout, manifests
from offline_bundle.discover import WantedImage
from offline_bundle.model import Attached, Blob, Descriptor, LockedImage


def lock_recipes(wanted: Iterable[WantedImage], sink: Sink) -> tuple[LockedImage, ...]:
    """Build what is not built yet, and lock it.

    Raises:
        InputError: no such recipe.
        OperationFailed: it cannot be built, or is another one than the plan's.
    """
    found = []
    for image in wanted:
        assert image.recipe is not None  # noqa: S101  the caller has looked
        built = recipes.build(image.recipe, sink)
        if built.reference != image.reference:
            raise OperationFailed(
                f"{image.recipe} builds {built.reference}, the plan has {image.reference}",
                hint="the program changed while it ran: run it again",
            )
        found.append(_lock(image, built))
    return tuple(found)


def _lock(image: WantedImage, built: BuiltImage) -> LockedImage:
    blobs: dict[str, int] = {}
    top = _manifest(built.layout, built.digest, blobs)
    bills = [_manifest(built.layout, built.sbom, blobs)] if built.sbom else []
    attached = tuple(Attached(replace(bill, annotations={}), built.digest) for bill in bills)
    stated = top.annotations.get("org.opencontainers.image.licenses")
    return LockedImage(
        reference=image.reference,
        digest=built.digest,
        media_type=top.media_type,
        size=top.size,
        platforms=("linux/amd64",),
        blobs=tuple(Blob(digest, size) for digest, size in sorted(blobs.items())),
        licence=image.licence or stated,
        source="recipe",
        recipe=image.recipe,
        attached=attached,
        found=image.found,
    )


def _manifest(folder: Path, digest: str, blobs: dict[str, int]) -> Descriptor:
    content = layout.blob_file(folder, digest).read_bytes()
    parsed = manifests.parse(content, where=str(folder))
    blobs[digest] = len(content)
    blobs.update({blob.digest: blob.size for blob in parsed.blobs})
    kind = str(json.loads(content)["mediaType"])
    return Descriptor(
        kind,
        digest,
        len(content),
        annotations=parsed.annotations,
        artifact_type=parsed.artifact_type,
    )
