"""Images that were pulled from registries for the embedded node, kept in the cache.

One OCI layout holds the blobs of all of them, each blob once; a record per image says which
manifest is this machine's.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from mlops_infra import files
from mlops_infra.images import blobs
from mlops_infra.images.builder import BuiltImage


def folder() -> Path:
    """The layout that holds the blobs."""
    return blobs.folder() / "pulled"


def references() -> Iterator[str]:
    """The references that have a record, whether or not their blobs are still whole."""
    for file in sorted(_records().glob("[!.]*.json")):
        yield str(json.loads(file.read_bytes())["reference"])


def find(reference: str) -> BuiltImage | None:
    """The image, as long as it is there with all its bytes."""
    file = _record(reference)
    try:
        raw = json.loads(file.read_bytes())
        found = image(reference, raw["name"], folder(), raw["digest"])
    except (FileNotFoundError, ValueError, KeyError):
        return None  # not pulled yet, or the cache was cut short: both mean that it is pulled now
    os.utime(file)  # pruning asks when the image was used last
    return found


def record(reference: str, name: str, digest: str) -> BuiltImage:
    """Remember what was pulled, once all its blobs are there.

    Args:
        reference: as the stack names the image.
        name: the reference in full, as a node asks for it.
        digest: of the image manifest for this machine.
    """
    found = image(reference, name, folder(), digest)
    _records().mkdir(parents=True, exist_ok=True)
    raw = {"reference": reference, "name": name, "digest": digest}
    files.write(_record(reference), json.dumps(raw))
    return found


def image(reference: str, name: str, layout: Path, digest: str) -> BuiltImage:
    """The image of the manifest `digest` in an OCI layout; arguments as for `record`.

    Raises:
        FileNotFoundError: the layout lacks a part of it.
    """
    manifest = json.loads(_blob(layout, digest).read_bytes())
    parts = [manifest["config"], *manifest["layers"]]
    for part in parts:
        file = _blob(layout, part["digest"])
        if file.stat().st_size != part["size"]:
            raise FileNotFoundError(file)
    size = sum(int(layer["size"]) for layer in manifest["layers"])
    return BuiltImage(reference, name, digest, layout, size, sbom="", cached=True)


def unused(before: float) -> dict[Path, str]:
    """Records of images that nobody has used since, with the image of each.

    Args:
        before: seconds since the epoch.
    """
    return {
        file: str(json.loads(file.read_bytes())["reference"])
        for file in _records().glob("[!.]*.json")
        if file.stat().st_mtime < before
    }


def unnamed_blobs(going: Collection[Path], young: float) -> list[Path]:
    """Blobs that no record but those of `going` leads to.

    Args:
        going: records that are to be removed.
        young: seconds since the epoch; what is newer may belong to a pull that is under way.
    """
    named: set[Path] = set()
    for file in _records().glob("[!.]*.json"):
        if file not in going:
            named |= _parts(folder(), json.loads(file.read_bytes())["digest"])
    every = (folder() / "blobs").glob("*/[!.]*")
    return [each for each in every if each not in named and each.stat().st_mtime < young]


def _parts(layout: Path, digest: str) -> set[Path]:
    """The manifest, its config and its layers; the manifest alone where that is damaged."""
    file = _blob(layout, digest)
    try:
        manifest = json.loads(file.read_bytes())
        parts = [manifest["config"], *manifest["layers"]]
        return {file, *(_blob(layout, part["digest"]) for part in parts)}
    except (FileNotFoundError, ValueError, KeyError):
        return {file}


def _records() -> Path:
    return folder() / "records"


def _record(reference: str) -> Path:
    return _records() / f"{hashlib.sha256(reference.encode()).hexdigest()}.json"


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")
