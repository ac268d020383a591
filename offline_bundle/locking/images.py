"""Images of registries: what a tag means now, and all that it leads to."""

from __future__ import annotations

import datetime
import http.client
import time
from collections.abc import Callable
from typing import TypeVar

from mlops_infra.errors import MlopsError, OperationFailed
from offline_bundle import manifests
from offline_bundle.discover import WantedImage
from offline_bundle.fetch.retrying import judge
from offline_bundle.manifests import Parsed
from offline_bundle.model import Attached, Blob, Descriptor, LockedImage
from offline_bundle.references import Reference, parse
from offline_bundle.registry import Manifest, Registries, Registry, RegistryError

_TAGS = ("sig", "att", "sbom")
"""Of cosign's tag scheme, `sha256-<hex>.<suffix>`."""
_SMALL_CONFIG = 1 << 20
_MOST_DEEP = 4
"""An index in an index is rare, deeper ones are an attack."""

T = TypeVar("T")


def lock_image(
    wanted: WantedImage, registries: Registries, platforms: tuple[str, ...]
) -> LockedImage:
    """Ask the registry what `wanted` is, for `platforms` (all, where empty).

    Raises:
        RegistryError: it is not there, or the registry refuses or fails for long.
        OperationFailed: it has none of the platforms, or is no image.
    """
    reference = parse(wanted.reference)
    found = _Walk(reference, registries[reference.host], platforms)
    try:
        return found.lock(wanted)
    except MlopsError as error:
        places = "; ".join(place.where for place in wanted.found)
        error.where = f"{wanted.reference}, required by {places}"
        error.hint = error.hint or "check the name"
        raise


class _Walk:
    """Collects the blobs below one reference."""

    def __init__(
        self, reference: Reference, registry: Registry, platforms: tuple[str, ...]
    ) -> None:
        self._reference = reference
        self._registry = registry
        self._platforms = platforms
        self._blobs: dict[str, int] = {}
        self._carried: set[str] = set()
        self._offered: set[str] = set()
        self._manifests: list[str] = []
        self._licence: str | None = None

    def lock(self, wanted: WantedImage) -> LockedImage:
        top = self._manifest(self._reference.target)
        parsed = manifests.parse(top.content, where=wanted.reference)
        self._take(top, parsed, 0)
        if self._platforms and not self._fits():
            raise OperationFailed(
                f"{wanted.reference} is not available for {', '.join(self._platforms)}",
                hint=f"it is available for {', '.join(sorted(self._offered))}; see --platform",
            )
        image_manifests = list(self._manifests)
        attached = [each for digest in image_manifests for each in self._attached(digest)]
        is_image = bool(self._carried)
        return LockedImage(
            reference=wanted.reference,
            digest=top.digest,
            media_type=top.media_type,
            size=len(top.content),
            platforms=self._platforms if is_image else (),
            blobs=tuple(Blob(digest, size) for digest, size in sorted(self._blobs.items())),
            licence=wanted.licence or self._licence,
            attached=tuple(attached),
            found=wanted.found,
        )

    def _take(self, manifest: Manifest, parsed: Parsed, depth: int) -> None:
        if depth > _MOST_DEEP:
            raise OperationFailed("indexes are nested too deep")
        self._blobs[manifest.digest] = len(manifest.content)
        self._manifests.append(manifest.digest)
        for blob in parsed.blobs:
            self._blobs[blob.digest] = blob.size
        self._about(parsed)
        self._offered |= {each.platform for each in parsed.manifests if each.platform}
        for child in manifests.chosen(parsed.manifests, self._platforms):
            if child.platform and child.platform != "unknown/unknown":
                self._carried.add(child.platform)
            if not manifests.is_manifest(child.media_type):
                self._blobs[child.digest] = child.size
                continue
            inner = self._manifest(child.digest)
            self._take(inner, manifests.parse(inner.content, where=child.digest), depth + 1)

    def _about(self, parsed: Parsed) -> None:
        """Read licence and platform out of an image's config."""
        config = parsed.config
        if config is None or config.size > _SMALL_CONFIG or "image" not in config.media_type:
            return
        content = self._small(config)
        platform = manifests.platform_of(content)
        if platform:
            self._carried.add(platform)
            self._offered.add(platform)
        self._licence = self._licence or manifests.licence(parsed, content)

    def _fits(self) -> bool:
        if not self._offered:
            return True  # an artifact is for every platform
        return any(
            each == wanted or each.startswith(f"{wanted}/")
            for each in self._carried
            for wanted in self._platforms
        )

    def _attached(self, digest: str) -> list[Attached]:
        """Signatures, attestations and bills of materials: by cosign's tags, by referrers."""
        found: list[Attached] = []
        path = self._reference.path
        for suffix in _TAGS:
            tag = f"{digest.replace(':', '-')}.{suffix}"
            there = self._ask(lambda tag=tag: self._registry.descriptor(path, tag))  # type: ignore[misc]
            if there is not None:
                manifest = self._manifest(there.digest)
                self._take_attached(manifest)
                described = Descriptor(manifest.media_type, manifest.digest, len(manifest.content))
                found.append(Attached(described, digest, tag))
        for referrer in self._ask(lambda: self._registry.referrers(path, digest)):
            if referrer.digest not in self._blobs:
                self._take_attached(self._manifest(referrer.digest))
                found.append(Attached(referrer, digest))
                found += self._attached(referrer.digest)  # signatures of attestations
        return found

    def _take_attached(self, manifest: Manifest) -> None:
        parsed = manifests.parse(manifest.content, where=manifest.digest)
        self._blobs[manifest.digest] = len(manifest.content)
        for blob in (*parsed.blobs, *parsed.manifests):
            self._blobs[blob.digest] = blob.size

    def _manifest(self, target: str) -> Manifest:
        return self._ask(lambda: self._registry.manifest(self._reference.path, target))

    def _small(self, blob: Descriptor) -> bytes:
        def read() -> bytes:
            with self._registry.blob(self._reference.path, blob.digest) as reply:
                return reply.document()

        return self._ask(read)

    def _ask(self, question: Callable[[], T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return question()
            except (OSError, http.client.HTTPException, RegistryError) as error:
                verdict = judge(error, attempt, attempt, datetime.datetime.now(datetime.UTC))
                if not verdict.again:
                    if isinstance(error, RegistryError):
                        raise
                    raise OperationFailed(
                        f"{self._registry.host} cannot be reached: {error}",
                        hint="configure a mirror: --registries FILE with"
                        f" `hosts: {{{self._registry.host}: {{mirror: https://MIRROR}}}}`",
                    ) from error
                time.sleep(verdict.pause)
