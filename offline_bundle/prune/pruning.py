"""Removes from a registry what earlier bundles brought and nothing uses any more.

Candidates are only what the receipts of earlier pushes name: what somebody else has put into the
registry is never touched. The registry gives the space back when its own garbage collection runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, quiet, step
from offline_bundle import references
from offline_bundle.push import receipt as receipts
from offline_bundle.push import targets
from offline_bundle.push.receipt import Pushed, Receipt
from offline_bundle.push.turnstile import Turnstile
from offline_bundle.push.wanted import roots
from offline_bundle.registry import Registry, Settings, require
from offline_bundle.volumes import open_source

_NOT_ALLOWED = 405
_UNSUPPORTED = b"UNSUPPORTED"
"""The code of registries that say the same with another status."""


@dataclass(frozen=True, slots=True, order=True)
class Removal:
    """A manifest that goes."""

    repository: str
    digest: str
    name: str
    """Of the image, as its bundle had it."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What goes or went, and what stays although no bundle has it; both sorted."""

    removed: tuple[Removal, ...]
    running: tuple[str, ...]
    """Images that stay only because a Pod uses them."""


def prune(
    registry: str,
    old: Sequence[Path],
    *,
    keep: Sequence[Path],
    running: Iterable[str],
    settings: Settings,
    dry_run: bool,
    sink: Sink = quiet,
) -> Pruned:
    """Remove what the receipts `old` name, and neither `keep` nor `running` has.

    Args:
        registry: `HOST[:PORT][/PREFIX]`.
        old: receipts of earlier pushes to that registry.
        keep: bundles (folders) and receipts whose images stay.
        running: images of the site's Pods: references, and the `imageID`s of their status.

    Raises:
        InputError: a receipt is of another registry, or cannot be read.
        OperationFailed: the registry does not allow deletion.
        RegistryError, OSError, http.client.HTTPException: the registry or the connection.
    """
    target = targets.parse(registry)
    gone = [_of_this(receipts.read(file, key=None), registry, file) for file in old]
    client = Registry(target.host, settings)
    try:
        kept = _kept(keep, target)
        used = _used(client, target, running)
        removals, stay = _decide(
            [image for receipt in gone for image in receipt.images], kept, used
        )
        turnstile = Turnstile(client.concurrency)
        there = turnstile.each(lambda each: _exists(client, each), removals)
        todo = [each for each, yes in zip(removals, there, strict=True) if yes]
        if not dry_run:
            with step(sink, f"Pruning {registry}", total=len(todo), unit="manifests") as work:
                for each in todo:
                    turnstile.persist(lambda e=each: _remove(client, e), work)  # type: ignore[misc]
                    work.advance()
    finally:
        client.close()
    return Pruned(tuple(todo), stay)


def _of_this(receipt: Receipt, registry: str, file: Path) -> Receipt:
    if receipt.registry.rstrip("/") != registry.rstrip("/"):
        raise InputError(
            f"the receipt is of {receipt.registry}, not of {registry}", where=str(file)
        )
    return receipt


def _kept(keep: Sequence[Path], target: targets.Target) -> frozenset[tuple[str, str]]:
    """Repository and digest of every manifest that stays."""
    found = set()
    for path in keep:
        if path.is_file():
            for image in receipts.read(path, key=None).images:
                found |= {(image.repository, d) for d in (*image.manifests, image.digest)}
        else:
            for root in roots(open_source([path]), target):
                found |= {(root.repository, node.digest) for node in root.node.walk()}
    return frozenset(found)


def _used(client: Registry, target: targets.Target, running: Iterable[str]) -> frozenset[str]:
    """Digests that Pods use; a tag means what it names in the registry now."""
    found = set()
    for text in running:
        reference = references.parse(text.rpartition("://")[2])
        if reference.digest:
            found.add(reference.digest)
            continue
        repository = reference.path
        if reference.host != target.host:
            repository = target.repository(reference.repository)
        digest = client.resolve(repository, reference.target)
        if digest is not None:
            found.add(digest)
    return frozenset(found)


def _decide(
    images: Sequence[Pushed], kept: frozenset[tuple[str, str]], used: frozenset[str]
) -> tuple[list[Removal], tuple[str, ...]]:
    """What goes, parents before their children, and which images stay for Pods. Pure."""
    in_use = {
        digest
        for image in images
        if not used.isdisjoint((*image.manifests, image.digest))
        for digest in (*image.manifests, image.digest)
    }
    removals: dict[tuple[str, str], Removal] = {}
    stay = set()
    for image in sorted(images, key=lambda each: (each.repository, each.name)):
        signs_used = image.subject is not None and image.subject in in_use
        signs_kept = (image.repository, image.subject) in kept
        for digest in (image.digest, *reversed(image.manifests)):
            key = (image.repository, digest)
            if key in kept or signs_kept:
                continue
            if digest in in_use or signs_used:
                stay.add(image.name)
            else:
                removals.setdefault(key, Removal(image.repository, digest, image.name))
    return list(removals.values()), tuple(sorted(stay))


def _exists(client: Registry, each: Removal) -> bool:
    """404 means that it is gone already; every other refusal is the end."""
    return client.resolve(each.repository, each.digest) is not None


def _remove(client: Registry, each: Removal) -> None:
    """404 means that somebody was quicker; every other refusal is the end, as nothing may be told
    to be gone that is there."""
    path = f"/v2/{each.repository}/manifests/{each.digest}"
    scope = f"repository:{each.repository}:delete,pull"
    with client.send("DELETE", path, scope=scope) as reply:
        content = reply.document()
        if reply.status == _NOT_ALLOWED or (reply.status >= 400 and _UNSUPPORTED in content):
            raise OperationFailed(
                f"{client.host} does not allow deletion",
                where=f"{each.repository}@{each.digest}",
                hint="enable it there (distribution: storage.delete.enabled), then run again",
            )
        require(reply, content, (200, 202, 404), f"{client.host}/{each.repository}@{each.digest}")
