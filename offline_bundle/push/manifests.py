"""Puts manifests, byte for byte; keeps referrers findable where a registry has no API for it."""

from __future__ import annotations

import json
import threading
from collections import defaultdict

from offline_bundle import layout
from offline_bundle.push.wanted import Node, Root
from offline_bundle.registry import Registry, RegistryError, require
from offline_bundle.volumes import Source

_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_REFUSES_SPARSE = frozenset({400, 404, 422})


class Putter:
    """Puts manifests into one registry; safe to use from many threads."""

    def __init__(self, registry: Registry, source: Source) -> None:
        self._registry = registry
        self._source = source
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def put(self, repository: str, node: Node, target: str) -> None:
        """Put the manifest of `node` under `target`, a tag or its digest.

        Raises:
            RegistryError, OSError, http.client.HTTPException: the registry or the connection.
            FoundError, MissingError: the bundle does not hold what it says.
        """
        entry = self._source.contents.by_path[layout.blob_path(node.digest)]
        content = self._source.read(entry)
        answered = self._send(repository, target, content, node.media_type)
        if node.subject is not None and not answered:
            # one lock per list: the specification leaves it to clients not to overwrite each other
            with self._locks[f"{repository}@{node.subject}"]:
                self._refer(repository, node, content)

    def put_root(self, root: Root, platform: str) -> str:
        """Put what a tag names; return the digest that it names then.

        A registry may refuse an index of which platforms were left out. The tag then names the
        manifest of `platform`, as it would if the image had been copied for that alone.

        Raises:
            RegistryError, OSError, http.client.HTTPException: the registry or the connection.
        """
        try:
            self.put(root.repository, root.node, root.target)
        except RegistryError as error:
            only = _only(root.node, platform)
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
        try:
            listed = json.loads(self._registry.manifest(repository, tag).content)["manifests"]
        except RegistryError as error:
            if error.status != 404:
                raise
            listed = []
        if any(each["digest"] == node.digest for each in listed):
            return
        index = {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": [*listed, own]}
        self._send(repository, tag, json.dumps(index).encode(), _INDEX_TYPE)


def _only(node: Node, platform: str) -> Node | None:
    """The child of a sparse index that stands for it."""
    if not node.sparse or not node.children:
        return None
    fitting = [child for child in node.children if child.platform == platform]
    return fitting[0] if fitting else node.children[0] if len(node.children) == 1 else None
