"""Sealed bundles made by hand, for tests of what happens to a bundle after it was built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offline_bundle import layout, lockfile, references
from offline_bundle.model import Attached, Blob, Descriptor, Lock, LockedImage
from offline_bundle.sealing import Sealed, seal

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
SIGNATURE = "application/vnd.dev.sigstore.bundle.v0.3+json"


class Maker:
    """Puts images and files into a folder, then seals it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images: list[LockedImage] = []
        self._listed: list[dict[str, Any]] = []
        (folder / "blobs" / "sha256").mkdir(parents=True)

    def blob(self, content: bytes) -> Blob:
        name = hashlib.sha256(content).hexdigest()
        (self.folder / "blobs" / "sha256" / name).write_bytes(content)
        return Blob(f"sha256:{name}", len(content))

    def manifest(
        self, layers: Sequence[bytes], *, architecture: str = "amd64", **more: Any
    ) -> tuple[Blob, list[Blob]]:
        blobs = [self.blob(each) for each in layers]
        rootfs = {"type": "layers", "diff_ids": [blob.digest for blob in blobs]}
        described = {"architecture": architecture, "os": "linux", "rootfs": rootfs}
        config = self.blob(json.dumps(described).encode())
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
            "layers": [{"mediaType": LAYER, "digest": b.digest, "size": b.size} for b in blobs],
            **more,
        }
        return self.blob(json.dumps(document).encode()), [config, *blobs]

    def image(self, reference: str, layers: Sequence[bytes]) -> Blob:
        made, blobs = self.manifest(layers)
        self._list(reference, made, MANIFEST, blobs)
        return made

    def index(
        self, reference: str, children: dict[str, Sequence[bytes]], *, omit: Sequence[str] = ()
    ) -> Blob:
        """An image for several architectures; those of `omit` are named and not carried."""
        described, all_blobs = [], []
        for architecture, layers in children.items():
            platform = {"os": "linux", "architecture": architecture}
            if architecture in omit:
                made = Blob("sha256:" + hashlib.sha256(architecture.encode()).hexdigest(), 7)
            else:
                made, blobs = self.manifest(layers, architecture=architecture)
                all_blobs += [made, *blobs]
            described.append(
                {"mediaType": MANIFEST, "digest": made.digest, "size": made.size,
                 "platform": platform}
            )  # fmt: skip
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": described}
        made = self.blob(json.dumps(document).encode())
        self._list(reference, made, INDEX, all_blobs)
        return made

    def refer(self, reference: str, subject: Blob, payload: bytes) -> Blob:
        """A signature that refers to `subject`, as cosign 3 stores it."""
        about = {"mediaType": MANIFEST, "digest": subject.digest, "size": subject.size}
        made, blobs = self.manifest([payload], artifactType=SIGNATURE, subject=about)
        repository = references.parse(reference).repository
        self._listed.append(
            {"mediaType": MANIFEST, "digest": made.digest, "size": made.size,
             "annotations": {layout.REPOSITORY: repository, layout.KIND: "signature"}}
        )  # fmt: skip
        at = next(n for n, each in enumerate(self.images) if each.reference == reference)
        image = self.images[at]
        attached = Attached(Descriptor(MANIFEST, made.digest, made.size), subject.digest)
        self.images[at] = LockedImage(
            image.reference, image.digest, image.media_type, image.size, image.platforms,
            tuple(sorted({*image.blobs, made, *blobs})), attached=(attached,),
        )  # fmt: skip
        return made

    def file(self, path: str, content: bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def seal(self, key: Path | None = None, held: frozenset[str] = frozenset()) -> Sealed:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self._listed}
        self.file(layout.INDEX, json.dumps(index).encode())
        self.file(layout.OCI_LAYOUT, layout.OCI_LAYOUT_CONTENT)
        lock = Lock("site", "linux/amd64", "3.11", tuple(self.images))
        lockfile.write_lock(lock, self.folder / layout.LOCK)
        return seal(self.folder, lock, key=key, held=held)

    def _list(self, reference: str, made: Blob, media_type: str, blobs: list[Blob]) -> None:
        repository = references.parse(reference).repository
        notes = {layout.REPOSITORY: repository, layout.KIND: "image"}
        self._listed.append(
            {"mediaType": media_type, "digest": made.digest, "size": made.size,
             "annotations": {**notes, layout.REF_NAME: reference}}
        )  # fmt: skip
        every = tuple(sorted({made, *blobs}))
        self.images.append(LockedImage(reference, made.digest, media_type, made.size, (), every))
