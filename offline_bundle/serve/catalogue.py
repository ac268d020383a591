"""What the bundle holds as a registry sees it: repositories, tags, manifests, referrers.

Names are those that a push gives (`offline_bundle.push.wanted`): the upstream host is the first
part of the path, so one configuration of a container runtime fits the site's registry and this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from offline_bundle import layout
from offline_bundle.push.targets import Target, upstream_path
from offline_bundle.push.wanted import Node, roots
from offline_bundle.volumes import Source
from offline_bundle.volumes.images import manifests


@dataclass(slots=True)
class Repository:
    """One repository."""

    tags: dict[str, str] = field(default_factory=dict)
    """Tag to digest."""
    manifests: dict[str, str] = field(default_factory=dict)
    """Digest to media type."""
    blobs: set[str] = field(default_factory=set)
    referrers: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """By digest of what is referred to: descriptors by their own digest."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All repositories by name."""

    repositories: dict[str, Repository]

    def find(self, name: str, namespace: str | None) -> Repository | None:
        """The repository `name`, as it is written or below the upstream host `namespace`.

        containerd says in `?ns=` which registry it means, where this server is a mirror of it.
        """
        if namespace:
            found = self.repositories.get(f"{upstream_path(namespace)}/{name}")
            if found is not None:
                return found
        host, slash, rest = name.partition("/")
        return self.repositories.get(f"{upstream_path(host)}{slash}{rest}")


def catalogue(source: Source) -> Catalogue:
    """Read index.json and every manifest of `source` once.

    Raises:
        FoundError: one of them is damaged.
    """
    documents = manifests(source)
    found: dict[str, Repository] = {}
    for root in roots(source, Target("", "")):
        repository = found.setdefault(root.repository, Repository())
        if root.tag is not None:
            repository.tags[root.tag] = root.node.digest
        for node in root.node.walk():
            repository.manifests[node.digest] = node.media_type
            repository.blobs.update(node.blobs)
            if node.subject is not None:
                about = repository.referrers.setdefault(node.subject, {})
                about[node.digest] = _descriptor(source, node, documents[node.digest])
    return Catalogue(dict(sorted(found.items())))


def _descriptor(source: Source, node: Node, document: dict[str, Any]) -> dict[str, Any]:
    """What the referrers API tells of a manifest (distribution-spec 1.1, Listing Referrers)."""
    entry = source.contents.by_path[layout.blob_path(node.digest)]
    kind = document.get("artifactType") or (document.get("config") or {}).get("mediaType")
    told = {"mediaType": node.media_type, "digest": node.digest, "size": entry.size}
    if kind:
        told["artifactType"] = kind
    if document.get("annotations"):
        told["annotations"] = document["annotations"]
    return told
