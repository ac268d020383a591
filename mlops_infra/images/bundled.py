"""Images of an offline bundle, used where they lie: nothing is copied into the cache.

The bundle is an OCI image layout whose index names each image by its whole reference; the variable
is the one that the toolchain reads too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_infra import toolchain
from mlops_infra.errors import InputError, OperationFailed

REF_NAME = "org.opencontainers.image.ref.name"
_SBOM = "application/vnd.cyclonedx+json"


@dataclass(frozen=True, slots=True)
class Carried:
    """An image of the bundle."""

    digest: str
    """Of the image manifest."""
    layout: Path
    size: int
    """Bytes of all layers."""
    sbom: str
    """Digest of the CycloneDX document's manifest; empty where the bundle has none."""


def folder() -> Path | None:
    """The bundle that `$MLOPS_INFRA_BUNDLE` names; None where it names none, or one of binaries.

    Raises:
        InputError: the folder is not there.
    """
    named = toolchain.bundle_folder()
    if named is None:
        return None
    if not named.is_dir():
        raise InputError(
            "the bundle does not exist",
            where=str(named),
            hint="mount its medium, or: `mlops-infra bundle install DIR --root ROOT`",
        )
    return named if (named / "index.json").is_file() else None


def references(where: Path) -> Mapping[str, str]:
    """Digest of every image and chart in the bundle `where`, by its whole reference."""
    return {
        str(item["annotations"][REF_NAME]): str(item["digest"])
        for item in _index(where)
        if REF_NAME in (item.get("annotations") or {})
    }


def find(reference: str) -> Carried | None:
    """The image `reference` of the bundle in use; None where there is no bundle, or not this image.

    Raises:
        InputError: the bundle does not exist.
        OperationFailed: it lacks a blob of this image.
    """
    where = folder()
    if where is None:
        return None
    digest = references(where).get(reference)
    if digest is None:
        return None
    manifest = json.loads(_blob(where, digest).read_bytes())
    layers = manifest["layers"]
    for item in (manifest["config"], *layers):
        file = _blob(where, item["digest"])
        if not file.is_file() or file.stat().st_size != item["size"]:
            raise OperationFailed(
                f"the bundle lacks a part of {reference}",
                where=str(file),
                hint=f"`mlops-infra bundle verify {where}`",
            )
    size = sum(int(layer["size"]) for layer in layers)
    return Carried(digest, where, size, _sbom(where, digest))


def _sbom(where: Path, subject: str) -> str:
    for item in _index(where):
        if item.get("artifactType") == _SBOM:
            manifest = json.loads(_blob(where, item["digest"]).read_bytes())
            if manifest.get("subject", {}).get("digest") == subject:
                return str(item["digest"])
    return ""


def _index(where: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads((where / "index.json").read_bytes())["manifests"]
    except (ValueError, KeyError) as error:
        raise OperationFailed(
            "the bundle's index cannot be read",
            where=str(where / "index.json"),
            hint=f"`mlops-infra bundle verify {where}`",
        ) from error
    return found


def _blob(where: Path, digest: str) -> Path:
    algorithm, _, encoded = digest.partition(":")
    return where / "blobs" / algorithm / encoded
