"""Which images a bundle holds, and of which some bytes are not here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_infra.errors import FoundError
from offline_bundle import layout
from offline_bundle.manifests import parse
from offline_bundle.model import Descriptor
from offline_bundle.volumes.source import Source

MAX_DEPTH = 8
"""Indexes within indexes; the deepest image in use has two."""


def manifests(source: Source) -> dict[str, dict[str, Any]]:
    """Every manifest and index that index.json leads to and that is here, by digest.

    Raises:
        FoundError: index.json or a manifest is damaged.
    """
    found: dict[str, dict[str, Any]] = {}
    queue = list(source.json(layout.INDEX).get("manifests", ()))
    for _ in range(MAX_DEPTH):
        following: list[Mapping[str, Any]] = []
        for descriptor in queue:
            document = _manifest(source, descriptor)
            if document is not None and descriptor["digest"] not in found:
                found[descriptor["digest"]] = document
                following += document.get("manifests") or ()
        queue = following
    return found


def _manifest(source: Source, descriptor: Mapping[str, Any]) -> dict[str, Any] | None:
    """None where it is not here, which a sparse index and a lost volume may mean."""
    if descriptor.get("mediaType") not in layout.MANIFEST_TYPES | layout.INDEX_TYPES:
        return None
    entry = source.contents.blob(descriptor["digest"])
    if entry is None or not source.has(entry):
        return None
    try:
        document = json.loads(source.read(entry))
    except ValueError as error:
        raise FoundError(f"{entry.path} is not a manifest: {error}", [entry.path]) from error
    if not isinstance(document, dict):
        raise FoundError(f"{entry.path} is not a manifest", [entry.path])
    return document


def blobs(document: Mapping[str, Any]) -> tuple[Descriptor, ...]:
    """Config and layers of a manifest that have to be carried; nothing of an index.

    Raises:
        OperationFailed: it is no manifest.
    """
    return parse(json.dumps(document).encode(), where="a manifest of the bundle").blobs


def images(source: Source) -> list[tuple[str, str]]:
    """Name and digest of everything in index.json, in its order."""
    found = []
    for descriptor in source.json(layout.INDEX).get("manifests", ()):
        named = descriptor.get("annotations") or {}
        name = named.get(layout.REF_NAME) or named.get(layout.REPOSITORY) or ""
        found.append((name or descriptor["digest"], descriptor["digest"]))
    return found


def incomplete(source: Source) -> dict[str, tuple[str, ...]]:
    """Images of which a listed blob is not here, with the paths of those blobs."""
    known = manifests(source)
    found: dict[str, tuple[str, ...]] = {}
    for name, digest in images(source):
        paths = sorted(set(_absent(source, known, digest, 0)))
        if paths:
            found[name] = tuple(paths)
    return found


def _absent(
    source: Source, known: Mapping[str, dict[str, Any]], digest: str, depth: int
) -> Iterator[str]:
    entry = source.contents.blob(digest)
    if entry is None:
        return  # not carried on purpose: `structural` says whether that is right
    if not source.has(entry):
        yield entry.path
    if depth > MAX_DEPTH or digest not in known:
        return
    document = known[digest]
    below = [each.digest for each in blobs(document)]
    for child in (*below, *(raw["digest"] for raw in document.get("manifests") or ())):
        yield from _absent(source, known, child, depth + 1)
