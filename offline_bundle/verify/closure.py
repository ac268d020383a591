"""Does the bundle hold all that its images, and a stack, refer to?

Two proofs. Structural: every manifest that index.json leads to is there, with its config and all
its layers, and everything that the lock promises is listed. For a stack: everything that discovery
found in its plan is locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mlops_infra.errors import FoundError
from mlops_infra.progress import Sink
from offline_bundle import layout, lockfile
from offline_bundle.model import Found, Lock
from offline_bundle.volumes.images import blobs, images, manifests
from offline_bundle.volumes.source import Source, open_source


class NotClosed(FoundError):
    """The bundle is good, and too little for a stack."""

    def __init__(self, lacking: Sequence[str]) -> None:
        super().__init__(
            f"the bundle lacks {len(lacking)} items that the stack needs",
            lacking,
            hint="with network access: `mlops-infra bundle lock -s STACK -o LOCK`, then"
            " `mlops-infra bundle build LOCK -o DIR`",
        )


def structural(source: Source, lock: Lock) -> list[str]:
    """What the images refer to and bundle.json does not list; empty when nothing is missing."""
    found = []
    for name, digest in images(source):
        if source.contents.blob(digest) is None:
            found.append(f"{layout.blob_path(digest)}: not in {layout.BUNDLE}, required by {name}")
    for digest, document in sorted(manifests(source).items()):
        for descriptor in blobs(document):
            entry = source.contents.blob(descriptor.digest)
            if entry is None or entry.size != descriptor.size:
                path = layout.blob_path(descriptor.digest)
                found.append(f"{path}: not in {layout.BUNDLE}, required by manifest {digest}")
        children = [source.contents.blob(c["digest"]) for c in document.get("manifests") or ()]
        if children and not any(children):
            found.append(f"{layout.blob_path(digest)}: none of its platforms is in the bundle")
    listed = {name for name, _ in images(source)}
    for image in lock.images:
        if image.reference not in listed:
            found.append(f"{layout.INDEX}: {image.reference} is in the lock but not in the index")
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
        + (f"; required by {', '.join(asked)}" if (asked := [p.where for p in places]) else "")
        for kind, name, places in needed
        if (kind, name) not in have
    ]


def closure_of(
    folders: Sequence[Path],
    stack: str,
    sink: Sink,
    *,
    base: Sequence[Path] = (),
    file: Path | None = None,
) -> list[str]:
    """What `stack` needs and the bundle in `folders` lacks, for the bundle's platform and Python.

    Raises:
        ConfigError, PlanError: the stack's file is wrong or refused.
        InputError, FoundError: there is no bundle, or its lists are damaged.
        OperationFailed: a chart does not render.
    """
    # discovery loads the rooms of configuration and plan, which the check of files does not need
    from offline_bundle.discover import needed

    source = open_source(folders, base=base)
    lock = lockfile.parse_lock(source.read(source.contents.by_path[layout.LOCK]).decode())
    needs = needed(
        stack,
        sink,
        platform=lock.platform,
        python=lock.python,
        file=file,
        bundle=folders[0] if (folders[0] / layout.BINARY_SUMS).is_file() else None,
    )
    return closure(lock, needs.listed())
