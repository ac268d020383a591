"""Reads manifests and indexes: what they refer to, and which platforms are wanted. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra.errors import OperationFailed
from offline_bundle import layout
from offline_bundle.layout import INDEX_TYPES, MANIFEST_TYPES
from offline_bundle.model import Descriptor

_LICENCES = "org.opencontainers.image.licenses"
_NOT_CARRIED = re.compile(r"(?:[.+]foreign|nondistributable)\b", re.IGNORECASE)
"""In the media types of layers that must not be distributed (Windows bases): Docker's, OCI's."""

_DOCKER = "vnd.docker."


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
    foreign: tuple[Descriptor, ...] = ()
    """Layers that must not be distributed, and are not carried."""


def is_manifest(media_type: str) -> bool:
    """Whether content of this type is asked for as a manifest."""
    return media_type in MANIFEST_TYPES or media_type in INDEX_TYPES


def is_foreign(blob: Descriptor) -> bool:
    """Whether a layer must not be distributed: its users fetch it from its maker, by its `urls`."""
    return _NOT_CARRIED.search(blob.media_type) is not None


def media_type(content: bytes, header: str) -> str:
    """The type of a manifest: what it says of itself, else what it looks like.

    `header` (a Content-Type) decides only between types of the same look: proxies and object stores
    send `text/plain` or `application/octet-stream` for everything.
    """
    try:
        raw = json.loads(content)
        stated = raw.get("mediaType")
        children = isinstance(raw.get("manifests"), list)
        config = raw.get("config")
        docker = isinstance(config, dict) and _DOCKER in str(config.get("mediaType"))
    except (ValueError, AttributeError, RecursionError):
        return header
    if isinstance(stated, str) and stated:
        return stated
    if header in (INDEX_TYPES if children else MANIFEST_TYPES):
        return header
    if children:
        return layout.INDEX_TYPE
    if isinstance(raw.get("blobs"), list) and config is None:
        return layout.ARTIFACT_TYPE
    return layout.DOCKER_MANIFEST_TYPE if docker else layout.MANIFEST_TYPE


def listed(content: bytes) -> list[Descriptor] | None:
    """The manifests of an index; None where it is not one, whatever it is said to be."""
    try:
        found = json.loads(content)["manifests"]
        return [Descriptor.of(each) for each in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def subject_of(content: bytes) -> str | None:
    """The digest of the manifest that a referrer is about; None where it is about none."""
    try:
        return str(json.loads(content)["subject"]["digest"])
    except (ValueError, KeyError, TypeError):
        return None


def parse(content: bytes, *, where: str) -> Parsed:
    """Read a manifest or an index; `where` names it in errors.

    Raises:
        OperationFailed: it is none, or of the abandoned schema 1.
    """
    try:
        raw = json.loads(content)
        if raw.get("schemaVersion") != 2 and raw.get("mediaType") != layout.ARTIFACT_TYPE:
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
            foreign=tuple(filter(is_foreign, layers)),
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
    return not is_foreign(blob) and not is_manifest(blob.media_type)
