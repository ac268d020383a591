"""Does the bundle hold all that its images, and a stack, refer to?

Two proofs. Structural: every manifest that index.json leads to is there, with its config and all
its layers, and everything that the lock promises is listed. For a stack: everything that discovery
found in its plan is locked.
"""

from __future__ import annotations

from collections.abc import Iterable

from offline_bundle import layout
from offline_bundle.model import Found, Lock
from offline_bundle.volumes.images import blobs, images, manifests
from offline_bundle.volumes.source import Source


def structural(source: Source, lock: Lock) -> list[str]:
    """What the images refer to and bundle.json does not list; empty when nothing is missing."""
    found = []
    for name, digest in images(source):
        if source.contents.blob(digest) is None:
            found.append(f"{layout.blob_path(digest)}: not in {layout.BUNDLE}, asked for by {name}")
    for digest, document in sorted(manifests(source).items()):
        for descriptor in blobs(document):
            entry = source.contents.blob(descriptor.digest)
            if entry is None or entry.size != descriptor.size:
                path = layout.blob_path(descriptor.digest)
                found.append(f"{path}: not in {layout.BUNDLE}, asked for by manifest {digest}")
        children = [source.contents.blob(c["digest"]) for c in document.get("manifests") or ()]
        if children and not any(children):
            found.append(f"{layout.blob_path(digest)}: none of its platforms is in the bundle")
    listed = {name for name, _ in images(source)}
    for image in lock.images:
        if image.reference not in listed:
            found.append(f"{layout.INDEX}: {image.reference} is in the lock and not in the index")
        found += [
            f"{layout.blob_path(blob.digest)}: {image.reference} needs it"
            for blob in image.blobs
            if source.contents.blob(blob.digest) is None
        ]
    return found


def closure(lock: Lock, needed: Iterable[tuple[str, str, Iterable[Found]]]) -> list[str]:
    """What is needed and not locked, one line each, with where it is asked for.

    `needed` has a kind (`image`, `chart`, `wheel`, `plugin`, `binary`, `file`), a name (an image's
    whole reference; else the name, or `name version`), and the places.
    """
    have = {("image", image.reference) for image in lock.images}
    have |= {("image", f"{image.repository}@{image.digest}") for image in lock.images}
    for file in lock.files:
        have |= {(file.kind, file.name), (file.kind, f"{file.name} {file.version}")}
    return [
        f"{kind} {name}: not in the bundle"
        + "".join(f"; asked for by {place.where}" for place in places)
        for kind, name, places in needed
        if (kind, name) not in have
    ]
