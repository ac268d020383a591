"""Reads manifests and indexes: what they refer to, and which platforms are wanted. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra.errors import OperationFailed
from offline_bundle.layout import INDEX_TYPES, MANIFEST_TYPES
from offline_bundle.model import Descriptor

_LICENCES = "org.opencontainers.image.licenses"
_FOREIGN = "foreign"
"""In the media type of layers that must not be distributed (Windows bases)."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A manifest or an index as far as carrying it needs to know."""

    manifests: tuple[Descriptor, ...]
    """Children that are manifests themselves."""
    blobs: tuple[Descriptor, ...]
    """Config and layers."""
    config: Descriptor | None
    annotations: Mapping[str, str]
    artifact_type: str | None


def is_manifest(media_type: str) -> bool:
    """Whether content of this type is asked for as a manifest."""
    return media_type in MANIFEST_TYPES or media_type in INDEX_TYPES


def parse(content: bytes, *, where: str) -> Parsed:
    """Read a manifest or an index; `where` names it in errors.

    Raises:
        OperationFailed: it is none, or of the abandoned schema 1.
    """
    try:
        raw = json.loads(content)
        if raw.get("schemaVersion") != 2:
            hint = "push the image again with a newer client"
            raise OperationFailed("the manifest is of schema 1", where=where, hint=hint)
        children = [Descriptor.of(each) for each in raw.get("manifests") or ()]
        config = Descriptor.of(raw["config"]) if raw.get("config") else None
        layers = [Descriptor.of(each) for each in raw.get("layers") or raw.get("blobs") or ()]
        return Parsed(
            manifests=tuple(children),
            blobs=tuple(each for each in (config, *layers) if each and _carried(each)),
            config=config,
            annotations=dict(raw.get("annotations") or {}),
            artifact_type=raw.get("artifactType"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationFailed(f"not a manifest: {error}", where=where) from error


def chosen(children: Collection[Descriptor], platforms: Collection[str]) -> tuple[Descriptor, ...]:
    """The children of an index that are carried for `platforms`; all where that is empty.

    What is for no platform (attestations of BuildKit) goes with the manifest that it is about.
    """
    if not platforms:
        return tuple(children)
    wanted = [each for each in children if each.platform and _fits(each.platform, platforms)]
    digests = {each.digest for each in wanted}
    about = "vnd.docker.reference.digest"
    return tuple(
        each
        for each in children
        if each.digest in digests or each.platform is None or each.annotations.get(about) in digests
    )


def licence(parsed: Parsed, config: bytes | None) -> str | None:
    """The SPDX expression that an image states: an annotation, else a label of its config."""
    stated = parsed.annotations.get(_LICENCES)
    if stated is None and config:
        try:
            document: Any = json.loads(config)
            labels = (document.get("config") or {}).get("Labels") or {}
            stated = labels.get(_LICENCES)
        except (ValueError, AttributeError):
            return None  # the config of an artifact may be anything
    return str(stated) if stated else None


def platform_of(config: bytes) -> str | None:
    """The platform in an image's config; None where it is no image's."""
    try:
        raw = json.loads(config)
        parts = [raw["os"], raw["architecture"], raw.get("variant")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return "/".join(str(part) for part in parts if part)


def _fits(platform: str, wanted: Collection[str]) -> bool:
    # `linux/arm64` asks for `linux/arm64/v8` as well: it is the only variant of it
    return platform in wanted or any(platform.startswith(f"{each}/") for each in wanted)


def _carried(blob: Descriptor) -> bool:
    return _FOREIGN not in blob.media_type and not is_manifest(blob.media_type)
