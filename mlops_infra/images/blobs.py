"""Layers in the cache: one file per digest, and what each layer key turned out to be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

from mlops_infra import files, places
from mlops_infra.images import layer
from mlops_infra.images.oci import Descriptor
from mlops_infra.images.tree import Tree


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """A layer that has been built."""

    descriptor: Descriptor
    file: Path
    components: tuple[dict[str, object], ...]
    """CycloneDX components of what is in it."""


def folder() -> Path:
    """Where images are kept."""
    return places.cache() / "images"


def _record(key: str) -> Path:
    return folder() / "layers" / f"{key}.json"


def find(key: str) -> StoredLayer | None:
    """The layer of this key, if it is in the cache with all its bytes."""
    try:
        raw = json.loads(_record(key).read_bytes())
        descriptor = Descriptor(layer.MEDIA_TYPE, raw["digest"], raw["size"])
        file = path_of(descriptor.digest)
        if file.stat().st_size == descriptor.size:
            return StoredLayer(descriptor, file, tuple(raw["components"]))
    except (FileNotFoundError, ValueError, KeyError):
        pass  # not built yet, or the cache was cut short: both mean that it is built now
    return None


def path_of(digest: str) -> Path:
    """The file of a layer."""
    return folder() / "blobs" / digest.replace(":", "-")


def store(
    key: str,
    tree: Tree,
    components: tuple[dict[str, object], ...],
    advance: Callable[[int], None],
) -> StoredLayer:
    """Write `tree` as a layer and remember it under `key`; complete or absent, never half."""
    blobs = folder() / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    temporary = blobs / f".{key[:16]}.{os.getpid()}"
    try:
        digest, size = layer.write(tree, temporary, advance)
        temporary.chmod(0o644)
        target = path_of(digest)
        # other inputs have made the same bytes before: layouts hold links to that file
        if not (target.is_file() and target.stat().st_size == size):
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    record = {"digest": digest, "size": size, "components": components}
    record_file = _record(key)
    record_file.parent.mkdir(parents=True, exist_ok=True)
    files.write(record_file, json.dumps(record))
    return StoredLayer(Descriptor(layer.MEDIA_TYPE, digest, size), path_of(digest), components)


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lock `name` of the cache, so that two builds of one thing do it once."""
    locks = folder() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / name).open("w") as file:
        flock(file, LOCK_EX)
        yield
