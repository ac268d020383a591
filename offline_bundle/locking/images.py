"""Images of registries: what a tag means now, and all that it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.transport import TROUBLE, HttpError
from mlops_infra.transport.retrying import persist
from offline_bundle import manifests
from offline_bundle.discover import WantedImage
from offline_bundle.manifests import Parsed
from offline_bundle.model import Attached, Blob, Descriptor, LockedImage
from offline_bundle.references import Reference, parse
from offline_bundle.registry import (
    Manifest,
    Notes,
    Registries,
    Registry,
    optional,
)

_TAGS = ("sig", "att", "sbom")
"""Of cosign's tag scheme, `sha256-<hex>.<suffix>`."""
_SMALL_CONFIG = 1 << 20
_MOST_DEEP = 4
"""An index in an index is rare, deeper ones are an attack."""

T = TypeVar("T")


def lock_image(
    wanted: WantedImage,
    registries: Registries,
    platforms: tuple[str, ...],
    notes: Notes,
    *,
    attached: bool = True,
) -> LockedImage:
    """Ask the registry what `wanted` is, for `platforms` (all, where empty).

    The image itself is required. What is attached to it is carried, unless `attached` is False,
    where the registry gives it; what is refused, or is left out, is added to `notes`.

    Raises:
        HttpError: it is not there, or the registry refuses or fails for long.
        OperationFailed: it has none of the platforms, or is no image.
    """
    reference = parse(wanted.reference)
    found = _Walk(reference, registries[reference.host], platforms, notes)
    try:
        return found.lock(wanted, attached=attached)
    except MlopsError as error:
        places = "; ".join(place.where for place in wanted.found)
        error.where = f"{wanted.reference}, required by {places}"
        error.hint = error.hint or "check the name"
        raise


class _Walk:
    """Collects the blobs below one reference."""

    def __init__(
        self,
        reference: Reference,
        registry: Registry,
        platforms: tuple[str, ...],
        notes: Notes,
    ) -> None:
        self._notes = notes
        self._reference = reference
        self._registry = registry
        self._platforms = platforms
        self._blobs: dict[str, int] = {}
        self._carried: set[str] = set()
        self._offered: set[str] = set()
        self._manifests: list[str] = []
        self._named: set[str] = set()
        """Digests of all children of indexes, those of other platforms as well."""
        self._licence: str | None = None

    def lock(self, wanted: WantedImage, *, attached: bool) -> LockedImage:
        top = self._manifest(self._reference.target)
        parsed = manifests.parse(top.content, where=wanted.reference)
        self._take(top, parsed, 0)
        if self._platforms and not self._fits():
            raise OperationFailed(
                f"{wanted.reference} is not available for {', '.join(self._platforms)}",
                hint=f"it is available for {', '.join(sorted(self._offered))}; see --platform",
            )
        about = list(self._manifests) if attached else []
        beside = [each for digest in about for each in self._attached(digest)]
        is_image = bool(self._carried)
        return LockedImage(
            reference=wanted.reference,
            digest=top.digest,
            media_type=top.media_type,
            size=len(top.content),
            platforms=self._platforms if is_image else (),
            blobs=tuple(Blob(digest, size) for digest, size in sorted(self._blobs.items())),
            licence=wanted.licence or self._licence,
            attached=tuple(beside),
            found=wanted.found,
        )

    def _take(self, manifest: Manifest, parsed: Parsed, depth: int) -> None:
        if depth > _MOST_DEEP:
            raise OperationFailed("indexes are nested too deep")
        self._blobs[manifest.digest] = len(manifest.content)
        self._manifests.append(manifest.digest)
        for blob in parsed.blobs:
            self._blobs[blob.digest] = blob.size
        if parsed.foreign:
            self._notes.add(
                f"{self._reference}: {len(parsed.foreign)} layers that must not be distributed are"
                " left out; machines fetch them from their maker"
            )
        self._named |= {each.digest for each in parsed.manifests}
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
        """Signatures, attestations and bills of materials: by cosign's tags, by referrers.

        None of them is needed to run the image, and registries refuse such questions in many ways
        (401 or 403 for tags outside of a pattern, 400, 404 or 405 for an API that they lack, 500).
        404 means that there is nothing; every other refusal is noted.
        """
        found: list[Attached] = []
        path = self._reference.path
        for suffix in _TAGS:
            tag = f"{digest.replace(':', '-')}.{suffix}"
            there = self._optional(lambda t: self._registry.resolve(path, t), tag)
            if there is None or there in self._own:
                continue  # some registries take such a tag for the digest that it begins with
            manifest = self._optional(lambda d: self._registry.manifest(path, d), there)
            if manifest is not None and self._take_attached(manifest):
                described = Descriptor(manifest.media_type, manifest.digest, len(manifest.content))
                found.append(Attached(described, digest, tag))
        for referrer in self._optional(lambda d: self._registry.referrers(path, d), digest) or ():
            if referrer.digest in self._own or referrer.digest in self._blobs:
                continue
            manifest = self._optional(lambda d: self._registry.manifest(path, d), referrer.digest)
            if manifest is None:
                continue
            if manifests.subject_of(manifest.content) != digest:
                self._notes.add(
                    f"{self._reference}: the registry lists {referrer.digest} as attached to"
                    f" {digest}, which it is not; it is left out"
                )
                continue
            if not self._take_attached(manifest):
                continue
            kind, size = manifest.media_type, len(manifest.content)
            found.append(Attached(replace(referrer, media_type=kind, size=size), digest))
            found += self._attached(referrer.digest)  # signatures of attestations
        return found

    def _take_attached(self, manifest: Manifest) -> bool:
        """Have an attachment carried, if it can be read."""
        try:
            parsed = manifests.parse(manifest.content, where=manifest.digest)
        except OperationFailed as error:
            self._notes.add(
                f"{self._reference}: {manifest.digest}, attached to it: {error.what}; it is left"
                " out"
            )
            return False
        self._blobs[manifest.digest] = len(manifest.content)
        for blob in (*parsed.blobs, *parsed.manifests):
            self._blobs[blob.digest] = blob.size
        return True

    def _manifest(self, target: str) -> Manifest:
        return self._ask(lambda: self._registry.manifest(self._reference.path, target))

    def _small(self, blob: Descriptor) -> bytes:
        def read() -> bytes:
            with self._registry.blob(self._reference.path, blob.digest) as reply:
                return reply.document()

        return self._ask(read)

    @property
    def _own(self) -> set[str]:
        """Manifests of the image itself, of platforms that are not carried as well."""
        return self._named | set(self._manifests)

    def _optional(self, question: Callable[[str], T | None], about: str) -> T | None:
        """The answer about a tag or a digest; None, and a note, where it is refused."""

        def refused(error: HttpError) -> None:
            self._notes.add(
                f"{self._reference}: {error.what}, asked for signatures, attestations and other"
                " referrers; those are not carried"
            )

        return self._reached(lambda: optional(lambda: question(about), None, refused))

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask for something that the image needs: a refusal is the end of the lock."""
        return self._reached(lambda: persist(question))

    def _reached(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except TROUBLE as error:
            if isinstance(error, HttpError):
                raise
            raise OperationFailed(
                f"{self._registry.host} cannot be reached: {error}",
                hint="configure a mirror: --registries FILE with"
                f" `hosts: {{{self._registry.host}: {{mirror: https://MIRROR}}}}`",
            ) from error
