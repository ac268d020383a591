"""Pulls images into the cache: resumed after an interruption, each blob checked by its digest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_infra.errors import OperationFailed
from mlops_infra.images import BuiltImage, blobs, bundle_folder, bundled_references, pulled
from mlops_infra.progress import Sink
from mlops_infra.toolchain.manifest import target
from offline_bundle import layout, manifests
from offline_bundle.discover.wanted import WantedImage
from offline_bundle.fetch import BlobStore, fetch
from offline_bundle.locking import lock_images
from offline_bundle.model import Found, LockedImage
from offline_bundle.pull.mirrors import Mirrors
from offline_bundle.references import Reference, parse
from offline_bundle.registry import Notes, Registries


def pull(
    references: Sequence[str], mirrors: Mirrors, sink: Sink, *, again: bool = False
) -> list[BuiltImage]:
    """Have images on this machine, for its own platform, in the order given.

    What a bundle holds is used where it lies. What was pulled once is used as it is.

    Args:
        references: of images, as the plan names them.
        mirrors: how they are reached.
        sink: for progress.
        again: ask what each tag means now, whatever was pulled before; a bundle counts all the
            same.

    Raises:
        DigestMismatch, RegistryError: a registry sends other bytes than it names, or refuses.
        OperationFailed: an image is not there or not for this platform, the disk, or the network.
    """
    wanted = list(dict.fromkeys(references))
    there = _bundled(wanted)
    with blobs.exclusive("pulled"):
        for reference in wanted:
            if reference not in there and not again and (found := pulled.find(reference)):
                there[reference] = found
        missing = [each for each in wanted if each not in there]
        if missing:
            there |= _pulled(missing, mirrors, sink)
    return [there[reference] for reference in wanted]


def name(reference: Reference) -> str:
    """As a node asks for the image: in full, and by the digest alone where there is one."""
    if reference.digest:
        return f"{reference.repository}@{reference.digest}"
    return str(reference)


def _bundled(references: Sequence[str]) -> dict[str, BuiltImage]:
    bundle = bundle_folder()
    held = bundled_references(bundle) if bundle else {}
    return {
        each: _image(each, bundle, held[whole])
        for each in references
        if bundle and (whole := str(parse(each))) in held
    }


def _pulled(references: Sequence[str], mirrors: Mirrors, sink: Sink) -> dict[str, BuiltImage]:
    folder = pulled.folder()
    (folder / layout.WORK).mkdir(parents=True, exist_ok=True)
    wanted = [_wanted(reference, mirrors) for reference in references]
    with Registries(mirrors.settings) as registries:
        locked = lock_images(wanted, registries, (target(),), Notes(), sink, attached=False)
        fetch(_each_once(locked), BlobStore(folder), registries, sink)
    return {
        reference: pulled.record(
            reference, name(parse(reference)), _own(folder, image.digest, image.reference)
        )
        for reference, image in zip(references, locked, strict=True)
    }


def _each_once(images: Sequence[LockedImage]) -> list[LockedImage]:
    return list({image.reference: image for image in images}.values())


def _wanted(reference: str, mirrors: Mirrors) -> WantedImage:
    source = mirrors.source(reference)
    if source is None:
        raise OperationFailed(
            f"{reference} is neither in a bundle nor in the site's registry",
            hint="the network is closed: carry it with a bundle",
        )
    return WantedImage(str(source), (Found(reference),))


def _image(reference: str, folder: Path, digest: str) -> BuiltImage:
    own = _own(folder, digest, reference)
    try:
        return pulled.image(reference, name(parse(reference)), folder, own)
    except FileNotFoundError as error:
        raise OperationFailed(
            f"the bundle lacks a part of {reference}",
            where=str(error),
            hint=f"`mlops-infra bundle verify {folder}`",
        ) from error


def _own(folder: Path, digest: str, where: str) -> str:
    """The image manifest for this machine, below the manifest or index `digest`."""
    platform = target()
    parsed = manifests.parse(layout.blob_file(folder, digest).read_bytes(), where=where)
    if not parsed.manifests:
        return digest
    for child in manifests.chosen(parsed.manifests, (platform,)):
        if child.platform and manifests.is_manifest(child.media_type):
            return _own(folder, child.digest, where)
    raise OperationFailed(f"{where} has no image for {platform}")
