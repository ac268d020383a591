"""What a bundle wants a registry to hold: manifests, their blobs, their tags. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from offline_bundle import layout, references
from offline_bundle.model import Descriptor
from offline_bundle.push.targets import Target
from offline_bundle.volumes import Source
from offline_bundle.volumes import images as contained


@dataclass(frozen=True, slots=True)
class Node:
    """One manifest or index with all that is below it."""

    digest: str
    media_type: str
    blobs: tuple[str, ...]
    """Digests of config and layers."""
    children: tuple[Node, ...]
    """Manifests of an index that the bundle carries."""
    sparse: bool = False
    """Whether children of this very index were left out."""
    subject: str | None = None
    """Digest of the manifest that this one refers to, where it is a referrer."""
    platform: str | None = None

    @property
    def partial(self) -> bool:
        """Whether platforms were left out, here or in an index below."""
        return self.sparse or any(child.partial for child in self.children)

    @property
    def height(self) -> int:
        """Levels of manifests below this one."""
        return 1 + max((child.height for child in self.children), default=-1)

    def walk(self) -> Iterator[Node]:
        """Children first, this one last."""
        for child in self.children:
            yield from child.walk()
        yield self


@dataclass(frozen=True, slots=True)
class Root:
    """What index.json names, in the repository where it has to be."""

    name: str
    """Of the image as the bundle knows it."""
    repository: str
    """In the site's registry."""
    tag: str | None
    node: Node
    attached: bool = False
    """Whether it is a signature or the like: an image runs without it."""

    @property
    def target(self) -> str:
        """Tag or digest that the manifest is put under."""
        return self.tag or self.node.digest

    @property
    def blobs(self) -> tuple[str, ...]:
        """Digests of all blobs below, each once, sorted."""
        return tuple(sorted({digest for node in self.node.walk() for digest in node.blobs}))


def roots(source: Source, target: Target) -> tuple[Root, ...]:
    """Everything to push, sorted by repository and tag; what is referred to comes first.

    A root of which a manifest is not here is left out: `contained.incomplete` names it.
    """
    known = contained.manifests(source)
    found: dict[tuple[str, str], Root] = {}
    for raw in source.json(layout.INDEX).get("manifests", ()):
        notes = raw.get("annotations") or {}
        name = notes.get(layout.REF_NAME)
        reference = references.parse(name) if name else None
        repository = notes.get(layout.REPOSITORY) or (reference.repository if reference else None)
        if repository is None or raw["digest"] not in known:
            continue
        node = _node(source, known, Descriptor.of(raw))
        tag = reference.tag if reference else None
        title = name or f"{repository}@{node.digest}"
        attached = notes.get(layout.KIND) == "signature"
        root = Root(title, target.repository(repository), tag, node, attached)
        found[root.repository, root.target] = root
    ordered = sorted(found)
    return tuple(
        sorted((found[key] for key in ordered), key=lambda root: root.node.subject is not None)
    )


def _node(source: Source, known: Mapping[str, dict[str, Any]], own: Descriptor) -> Node:
    document = known[own.digest]
    children = [Descriptor.of(raw) for raw in document.get("manifests") or ()]
    return Node(
        digest=own.digest,
        media_type=str(document.get("mediaType") or own.media_type),
        blobs=tuple(each.digest for each in contained.blobs(document)),
        children=tuple(_node(source, known, each) for each in children if each.digest in known),
        sparse=any(source.contents.blob(each.digest) is None for each in children),
        subject=(document.get("subject") or {}).get("digest"),
        platform=own.platform,
    )
