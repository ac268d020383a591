"""What every part of this room shares: references, descriptors, the lock.

All values are frozen and plain. A digest is always written with its algorithm (`sha256:<hex>`),
a size is in bytes, a platform is `os/architecture[/variant]` as the OCI image specification has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FileKind = Literal["chart", "wheel", "plugin", "binary", "file"]
ImageSource = Literal["registry", "recipe"]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A blob as others refer to it; OCI image specification 1.1."""

    media_type: str
    digest: str
    size: int
    platform: str | None = None
    """`linux/amd64`, `linux/arm/v7`; None where the blob is for every platform."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """In the words of the specification."""
        found: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.platform:
            parts = self.platform.split("/")
            keys = ("os", "architecture", "variant")
            found["platform"] = dict(zip(keys, parts, strict=False))
        if self.annotations:
            found["annotations"] = dict(sorted(self.annotations.items()))
        if self.artifact_type:
            found["artifactType"] = self.artifact_type
        return found

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Descriptor:
        """Read a descriptor out of a manifest or an index.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        where = raw.get("platform")
        parts = [where[key] for key in ("os", "architecture")] if where else []
        if where and where.get("variant"):
            parts.append(where["variant"])
        return cls(
            media_type=str(raw["mediaType"]),
            digest=str(raw["digest"]),
            size=int(raw["size"]),
            platform="/".join(parts) or None,
            annotations=dict(raw.get("annotations") or {}),
            artifact_type=raw.get("artifactType"),
        )


@dataclass(frozen=True, slots=True, order=True)
class Blob:
    """Content and its length, whatever it is: a manifest, a config, a layer."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """Where something that the bundle holds is asked for."""

    where: str
    """`charts/mlflow/values.yaml: images.server`, `ConfigMap kubeflow/launcher: data.image`."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A signature, an attestation or an SBOM that belongs to an image; carried untouched."""

    descriptor: Descriptor
    subject: str
    """Digest of the manifest that it is about."""
    tag: str | None = None
    """`sha256-<hex>.sig`, `.att`, `.sbom`: its tag in the image's repository. None: a referrer."""


@dataclass(frozen=True, slots=True)
class LockedImage:
    """One reference and exactly what it means."""

    reference: str
    """Whole, with its registry: `docker.io/library/busybox:1.36`, `host:5000/a@sha256:…`."""
    digest: str
    """Of the manifest or index that the reference names, `sha256:…`."""
    media_type: str
    size: int
    """Of that manifest or index alone."""
    platforms: tuple[str, ...]
    """Platforms that are carried, sorted; empty: all there are (also for artifacts)."""
    blobs: tuple[Blob, ...]
    """All that has to be carried: manifests, configs and layers, attached ones too; sorted."""
    licence: str | None = None
    """SPDX expression that the image states; None where it states none."""
    source: ImageSource = "registry"
    recipe: str | None = None
    """Recipe of `recipes/` that makes it, where `source` is `recipe`."""
    attached: tuple[Attached, ...] = ()
    found: tuple[Found, ...] = ()

    @property
    def repository(self) -> str:
        """The reference without tag and digest."""
        bare = self.reference.partition("@")[0]
        head, slash, tail = bare.rpartition("/")
        return head + slash + tail.partition(":")[0]


@dataclass(frozen=True, slots=True)
class LockedFile:
    """Anything that is no image."""

    kind: FileKind
    name: str
    """Chart, project (normalised), plugin (`kubernetes`), program (`helm`) or path of a file."""
    version: str
    """Without a leading `v` for wheels and charts, with it for plugins and binaries; or empty."""
    sha256: str
    """Hex digits alone."""
    size: int
    filename: str
    """Last part of its path in the bundle, for example `click-8.1.7-py3-none-any.whl`."""
    source: str
    """Where `fetch.files.obtain` takes it: a URL, `project:charts/mlflow`, `toolchain:helm`, …"""
    licence: str | None = None
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class LockedHost:
    """What was told about a registry when an image of it was locked, and counts for the build."""

    name: str
    """With its port, as references have it."""
    mirror: str | None = None
    """Base URL that is asked in its place."""
    plain_http: bool = False
    concurrency: int | None = None
    """Transfers at a time; None: the usual number."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Everything that a bundle of one stack holds; the same inputs give the same lock."""

    stack: str | None
    """None for a bundle of free additions alone."""
    platform: str
    """Platform of the closed side, `linux/amd64`."""
    python: str
    """Python of the closed side, `3.11`."""
    images: tuple[LockedImage, ...] = ()
    """Sorted by reference."""
    files: tuple[LockedFile, ...] = ()
    """Sorted by kind, name, version."""
    hosts: tuple[LockedHost, ...] = ()
    """Registries that are reached in another way than the usual one, sorted by name."""

    @property
    def blobs(self) -> dict[str, int]:
        """Size of every blob of all images by digest, each once."""
        return {blob.digest: blob.size for image in self.images for blob in image.blobs}

    @property
    def size(self) -> int:
        """Bytes of all that is carried, shared blobs counted once."""
        return sum(self.blobs.values()) + sum(file.size for file in self.files)
