"""Writes an OCI image layout: config, manifest, SBOM as a referrer, index.

Specification: github.com/opencontainers/image-spec 1.1.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.images import layer
from mlops_infra.images.recipe import Recipe, Run

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
SBOM = "application/vnd.cyclonedx+json"

CREATED = datetime.datetime.fromtimestamp(layer.EPOCH, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A blob as others refer to it."""

    media_type: str
    digest: str
    size: int

    def as_dict(self) -> dict[str, object]:
        """In the words of the specification."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image and where its blob is."""

    descriptor: Descriptor
    file: Path
    created_by: str


def encode(value: object) -> bytes:
    """JSON whose bytes depend on the value alone."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def labels(recipe: Recipe, version: str, base: str | None) -> dict[str, str]:
    """The pre-defined annotation keys that apply to an image of ours."""
    prefix = "org.opencontainers.image."
    found = {
        "title": recipe.name,
        "description": recipe.description,
        "version": version,
        "licenses": recipe.licences,
        "vendor": "mlops-infra",
        "created": CREATED,
        "base.name": base or "scratch",
    }
    return {prefix + key: value for key, value in found.items()}


def config(run: Run | None, layers: list[Layer], named: dict[str, str]) -> dict[str, object]:
    """The image's configuration blob."""
    runtime: dict[str, object] = {"Labels": named}
    if run is not None:
        runtime |= {
            "User": run.user,
            "Env": [f"{key}={value}" for key, value in sorted(run.environment.items())],
            "Entrypoint": list(run.entrypoint),
            "Cmd": list(run.command),
            "WorkingDir": run.folder,
        }
        if run.ports:
            runtime["ExposedPorts"] = {f"{port}/tcp": {} for port in run.ports}
        if run.stop_signal:
            runtime["StopSignal"] = run.stop_signal
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": {key: value for key, value in runtime.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [item.descriptor.digest for item in layers]},
        "history": [{"created": CREATED, "created_by": item.created_by} for item in layers],
    }


class Layout:
    """An OCI image layout under construction in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)

    def put(self, media_type: str, content: bytes) -> Descriptor:
        """Store a blob and return its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        (self._blobs / digest).write_bytes(content)
        return Descriptor(media_type, f"sha256:{digest}", len(content))

    def link(self, item: Layer) -> None:
        """Bring in a layer that lies elsewhere in the cache, without a copy where that can be."""
        target = self._blobs / item.descriptor.digest.removeprefix("sha256:")
        if not target.exists():
            os.link(item.file, target)

    def image(
        self, settings: dict[str, object], layers: list[Layer], named: dict[str, str]
    ) -> Descriptor:
        """Store configuration and manifest; return the manifest's descriptor."""
        for item in layers:
            self.link(item)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.put(CONFIG, encode(settings)).as_dict(),
            "layers": [item.descriptor.as_dict() for item in layers],
            "annotations": named,
        }
        return self.put(MANIFEST, encode(manifest))

    def attach(self, subject: Descriptor, document: bytes, title: str) -> Descriptor:
        """Store `document` as an SBOM that refers to `subject`; return its manifest."""
        stored = self.put(SBOM, document).as_dict()
        stored["annotations"] = {"org.opencontainers.image.title": title}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": SBOM,
            "config": self.put(EMPTY, b"{}").as_dict(),
            "layers": [stored],
            "subject": subject.as_dict(),
        }
        return self.put(MANIFEST, encode(manifest))

    def finish(self, image: Descriptor, sbom: Descriptor, reference: str) -> None:
        """Write the index and the marker that makes the folder a layout."""
        named = {
            "io.containerd.image.name": reference,
            "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
        }
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                {
                    **image.as_dict(),
                    "platform": {"architecture": "amd64", "os": "linux"},
                    "annotations": named,
                },
                {**sbom.as_dict(), "artifactType": SBOM},
            ],
        }
        (self.folder / "index.json").write_bytes(encode(index))
        (self.folder / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
