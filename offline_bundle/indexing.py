"""`index.json`: one entry for every reference, and for all that is attached to an image. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from offline_bundle import layout
from offline_bundle.model import Descriptor, LockedImage


def index(images: Iterable[LockedImage], charts: Iterable[Descriptor]) -> bytes:
    """The bytes of `index.json`; the same for the same content in any order."""
    entries = {
        (_name(each), each.digest, each.annotations.get(layout.REPOSITORY, "")): each.as_dict()
        for each in (*charts, *(entry for image in images for entry in _entries(image)))
    }
    document = {
        "schemaVersion": 2,
        "mediaType": layout.INDEX_TYPE,
        "manifests": [entries[key] for key in sorted(entries)],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _entries(image: LockedImage) -> Iterator[Descriptor]:
    notes = {
        layout.REF_NAME: image.reference,
        layout.CONTAINERD_NAME: image.reference,
        layout.REPOSITORY: image.repository,
        layout.KIND: "image",
    }
    yield Descriptor(image.media_type, image.digest, image.size, annotations=notes)
    for each in image.attached:
        notes = {layout.REPOSITORY: image.repository, layout.KIND: "signature"}
        if each.tag:
            notes[layout.REF_NAME] = f"{image.repository}:{each.tag}"
        # its own annotations stay: readers find referrers by them
        yield replace(each.descriptor, annotations={**each.descriptor.annotations, **notes})


def _name(entry: Descriptor) -> str:
    return entry.annotations.get(layout.REF_NAME, "")
