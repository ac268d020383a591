"""Asks a registry what it has, and says what it lacks: the same answer for a dry run and a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mlops_infra.transport import HttpError
from offline_bundle.push.turnstile import Turnstile
from offline_bundle.push.wanted import Node, Root
from offline_bundle.registry import Notes, Registry, require
from offline_bundle.volumes import Source

ActionKind = Literal["upload", "mount", "manifest", "tag"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a push changes in a registry."""

    kind: ActionKind
    repository: str
    digest: str
    size: int
    detail: str | None = None
    """Of a mount: the repository that has the blob; of a tag: the tag."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a registry has of what is wanted."""

    complete: frozenset[Root]
    """Roots that are there already, under their tag."""
    held: Mapping[str, frozenset[str]]
    """By digest of a blob: the repositories that have it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done, in order."""

    actions: tuple[Action, ...]
    roots: tuple[Root, ...]
    """Roots to put, those that are complete left out."""
    unavailable: Mapping[str, tuple[str, ...]]
    """By name of an image: digests that neither the bundle's folders nor the registry have."""


def ask(registry: Registry, turnstile: Turnstile, roots: Sequence[Root], notes: Notes) -> Inventory:
    """One HEAD per root, and one per blob of each that is not there.

    The answers only save work. 404 means that it is not there; what is refused in another way (no
    permission to pull, a repository that does not exist yet, a proxy's rule about HEAD) is put or
    sent once more, and noted.

    Raises:
        OSError, http.client.HTTPException: the registry cannot be reached.
    """

    def unknown(_item: object, error: HttpError) -> bool:
        notes.add(f"{registry.host}: {error.what}, asked what it has already; it was sent again")
        return False

    there = turnstile.each(lambda root: _is_there(registry, root), roots, refused=unknown)
    complete = frozenset(root for root, yes in zip(roots, there, strict=True) if yes)
    held: dict[str, set[str]] = defaultdict(set)
    for root in complete:
        # a registry takes no manifest before it has what the manifest refers to
        for digest in root.blobs:
            held[digest].add(root.repository)
    pairs = sorted(
        {
            (root.repository, digest)
            for root in roots
            if root not in complete
            for digest in root.blobs
            if root.repository not in held[digest]
        }
    )
    answers = turnstile.each(lambda pair: _has_blob(registry, *pair), pairs, refused=unknown)
    for (repository, digest), yes in zip(pairs, answers, strict=True):
        if yes:
            held[digest].add(repository)
    return Inventory(complete, {digest: frozenset(where) for digest, where in held.items()})


def _is_there(registry: Registry, root: Root) -> bool:
    if root.node.subject is not None and root.tag is None:
        # also says whether it can be found from what it refers to, which a HEAD does not
        listed = registry.referrers(root.repository, root.node.subject)
        return any(each.digest == root.node.digest for each in listed)
    found = registry.resolve(root.repository, root.target)
    accepted = {root.node.digest}
    if root.node.partial:
        # where the registry refuses an index without all platforms, the tag names the one that is
        accepted |= {node.digest for node in root.node.walk()}
    return found in accepted


def _has_blob(registry: Registry, repository: str, digest: str) -> bool:
    path = f"/v2/{repository}/blobs/{digest}"
    with registry.send("HEAD", path, scope=f"repository:{repository}:pull") as reply:
        if reply.status == 404:
            return False
        require(reply, b"", (200,), f"{registry.host}/{repository}@{digest}")
        return True


def plan(source: Source, roots: Sequence[Root], inventory: Inventory) -> Plan:
    """Decide how each blob gets into each repository. Pure but for looking which files are here."""
    todo = tuple(root for root in roots if root not in inventory.complete)
    lacking = {digest for root in todo for digest in root.blobs if not inventory.held.get(digest)}
    gone = {digest for digest in lacking if not _here(source, digest)}
    unavailable = {
        root.name: tuple(d for d in root.blobs if d in gone)
        for root in todo
        if not gone.isdisjoint(root.blobs)
    }
    ready = tuple(root for root in todo if root.name not in unavailable)
    actions = [*_blob_actions(source, todo, inventory, gone), *_manifest_actions(source, ready)]
    return Plan(tuple(actions), ready, unavailable)


def _here(source: Source, digest: str) -> bool:
    entry = source.contents.blob(digest)
    return entry is not None and source.has(entry)


def _blob_actions(
    source: Source, roots: Sequence[Root], inventory: Inventory, gone: Collection[str]
) -> list[Action]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for root in roots:
        for digest in root.blobs:
            wanted[digest].add(root.repository)
    uploads, mounts = [], []
    for digest in sorted(wanted.keys() - set(gone)):
        have = inventory.held.get(digest, frozenset())
        lacking = sorted(wanted[digest] - have)
        entry = source.contents.blob(digest)
        size = entry.size if entry else 0
        home = min(have) if have else lacking.pop(0) if lacking else ""
        if not have:
            uploads.append(Action("upload", home, digest, size))
        mounts += [Action("mount", each, digest, size, home) for each in lacking]
    # the largest first, so that the last one is not a long tail
    return [*sorted(uploads, key=lambda action: (-action.size, action.digest)), *mounts]


def _manifest_actions(source: Source, roots: Sequence[Root]) -> list[Action]:
    manifests: dict[tuple[str, str], Action] = {}
    tags = []
    for root in roots:
        for node in root.node.walk():
            if node is not root.node or root.tag is None:
                key = (root.repository, node.digest)
                manifests.setdefault(key, _put("manifest", root.repository, node, source, None))
        if root.tag is not None:
            tags.append(_put("tag", root.repository, root.node, source, root.tag))
    return [*manifests.values(), *tags]


def _put(kind: ActionKind, repository: str, node: Node, source: Source, tag: str | None) -> Action:
    entry = source.contents.blob(node.digest)
    return Action(kind, repository, node.digest, entry.size if entry else 0, tag)
