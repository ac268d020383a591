"""Puts manifests, byte for byte; keeps referrers findable where a registry has no API for it."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from typing import Any

from mlops_infra.transport import HttpError
from offline_bundle import layout
from offline_bundle.push.wanted import Node, Root
from offline_bundle.registry import Notes, Registry, RegistryError, require
from offline_bundle.volumes import Source

_REFUSES_SPARSE = frozenset({400, 404, 412, 422})
"""What registries answer to an index of which they lack a manifest."""


class Putter:
    """Puts manifests into one registry; safe to use from many threads."""

    def __init__(self, registry: Registry, source: Source, notes: Notes) -> None:
        self._registry = registry
        self._source = source
        self._notes = notes
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def put(self, repository: str, node: Node, target: str) -> None:
        """Put the manifest of `node` under `target`, a tag or its digest.

        An image needs its manifests: a refusal is the end. A registry that takes no note of what a
        referrer refers to is given the fallback tag; if it refuses that, the referrer is there and
        only by its digest.

        Raises:
            HttpError, OSError, http.client.HTTPException: the registry or the connection.
            FoundError, MissingError: the bundle does not hold what it says.
        """
        entry = self._source.contents.by_path[layout.blob_path(node.digest)]
        content = self._source.read(entry)
        answered = self._send(repository, target, content, node.media_type)
        if node.subject is not None and not answered:
            # one lock per list: the specification leaves it to clients not to overwrite each other
            with self._locks[f"{repository}@{node.subject}"]:
                try:
                    self._refer(repository, node, content)
                except HttpError as error:
                    self._notes.add(
                        f"{self._registry.host}/{repository}: {error.what}, given the list of what"
                        f" refers to {node.subject}; signatures and the like are there by digest"
                        " alone, and are not found from the image"
                    )

    def put_below(self, repository: str, node: Node) -> None:
        """Put a manifest below a root under its digest.

        An index without all its manifests may be refused (400, 404, 412, 422): then the index above
        it is refused as well, and `put_root` does what can be done.

        Raises:
            HttpError, OSError, http.client.HTTPException: the registry or the connection.
            FoundError, MissingError: the bundle does not hold what it says.
        """
        try:
            self.put(repository, node, node.digest)
        except HttpError as error:
            if not node.partial or error.status not in _REFUSES_SPARSE:
                raise

    def put_root(self, root: Root, platform: str) -> str:
        """Put what a tag names; return the digest that it names then.

        A registry may refuse an index of which platforms were left out. The tag then names the
        manifest of `platform`, as it would if the image had been copied for that alone.

        Raises:
            HttpError, OSError, http.client.HTTPException: the registry or the connection.
        """
        try:
            self.put(root.repository, root.node, root.target)
        except HttpError as error:
            only = _only(root.node, platform) if root.node.partial else None
            if only is None or root.tag is None or error.status not in _REFUSES_SPARSE:
                raise
            self.put(root.repository, only, root.tag)
            return only.digest
        return root.node.digest

    def _send(self, repository: str, target: str, content: bytes, media_type: str) -> str | None:
        """The header `OCI-Subject`: the registry has taken note of what is referred to."""
        path = f"/v2/{repository}/manifests/{target}"
        headers = {"Content-Type": media_type}
        scope = f"repository:{repository}:pull,push"
        with self._registry.send("PUT", path, scope=scope, headers=headers, body=content) as reply:
            answer = reply.document()
            require(reply, answer, (201,), f"{self._registry.host}/{repository}:{target}")
            return reply.headers.get("OCI-Subject")

    def _refer(self, repository: str, node: Node, content: bytes) -> None:
        """Add to the tag that stands in for the referrers API (distribution-spec 1.1)."""
        document = json.loads(content)
        own = {
            "mediaType": node.media_type,
            "digest": node.digest,
            "size": len(content),
            "artifactType": document.get("artifactType") or document["config"]["mediaType"],
        }
        if document.get("annotations"):
            own["annotations"] = document["annotations"]
        assert node.subject is not None  # noqa: S101 - for the type checker; see put
        tag = node.subject.replace(":", "-")
        there = self._registry.resolve(repository, tag)
        listed = []
        if there is not None and there != node.subject:  # a tag that is taken for the digest
            listed = _list(self._registry.manifest(repository, there).content)
        if any(each["digest"] == node.digest for each in listed):
            return
        index = {"schemaVersion": 2, "mediaType": layout.INDEX_TYPE, "manifests": [*listed, own]}
        self._send(repository, tag, json.dumps(index).encode(), layout.INDEX_TYPE)


def _list(content: bytes) -> list[dict[str, Any]]:
    """The entries of a fallback tag, as they are.

    Raises:
        RegistryError: the tag names something else, which is not to be overwritten.
    """
    try:
        found = json.loads(content)["manifests"]
        return [dict(each) for each in found]
    except (ValueError, KeyError, TypeError):
        raise RegistryError("the tag of the list names something that is not a list") from None


def _only(node: Node, platform: str) -> Node | None:
    """The manifest below an index that stands for it: that of `platform`, or the only one."""
    leaves = [each for each in node.walk() if not each.children and not _is_index(each)]
    fitting = [leaf for leaf in leaves if leaf.platform == platform]
    return fitting[0] if fitting else leaves[0] if len(leaves) == 1 else None


def _is_index(node: Node) -> bool:
    return node.media_type in layout.INDEX_TYPES
