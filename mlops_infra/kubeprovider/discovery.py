"""Which kinds the API server serves, and under which paths."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from mlops_infra.kubeprovider.client import Client
from mlops_infra.kubeprovider.problems import KindMissingError

_ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
)
_FRESH_SECONDS = 0.5
"""A kind that is missing is asked for again, but not by every thread at once."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the server serves it."""

    api_version: str
    name: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """Path of an object, or of the collection where `name` is None."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        leaf = f"/{name}" if name else ""
        return f"{root}{self.api_version}{scope}/{self.plural}{leaf}"


class Discovery:
    """The server's kinds, asked for once and again whenever one is missing.

    Reads the aggregated discovery documents (Kubernetes 1.27 and later): two requests for all.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def kind(self, api_version: str, name: str, *, certain: bool = False) -> Kind:
        """Look a kind up.

        Args:
            api_version: as in the object.
            name: as in the object.
            certain: ask the server before a kind is called missing, however lately it was asked.

        Raises:
            KindMissingError: the server does not serve it (now).
        """
        key = (api_version, name)
        found = self._kinds.get(key)
        if found is None:
            with self._lock:
                stale = time.monotonic() - self._read_at > _FRESH_SECONDS
                if key not in self._kinds and (stale or certain):
                    self._read()
            found = self._kinds.get(key)
        if found is None:
            raise KindMissingError(
                f"the API server does not serve {api_version} {name}: a CustomResourceDefinition"
                " or an API service is missing, or this version of Kubernetes dropped it"
            )
        return found

    def forget(self, api_version: str, name: str) -> None:
        """Drop a kind whose definition was deleted or changed."""
        self._kinds.pop((api_version, name), None)

    def api_versions(self) -> list[str]:
        """Everything that a chart may ask for in `.Capabilities.APIVersions`."""
        with self._lock:
            self._read()
        versions = {version for version, _ in self._kinds}
        return sorted(versions | {f"{version}/{name}" for version, name in self._kinds})

    def _read(self) -> None:
        kinds: dict[tuple[str, str], Kind] = {}
        for path in ("/api", "/apis"):
            for group in self._client.get(path, accept=_ACCEPT).get("items", []):
                kinds.update(_group_kinds(group))
        self._kinds = kinds
        self._read_at = time.monotonic()


def _group_kinds(group: dict[str, Any]) -> dict[tuple[str, str], Kind]:
    name = group["metadata"].get("name", "")
    found: dict[tuple[str, str], Kind] = {}
    for version in group.get("versions", []):
        api_version = f"{name}/{version['version']}" if name else version["version"]
        for item in version.get("resources", []):
            kind = item.get("responseKind", {}).get("kind", "")
            # two resources of one kind: keep the first, as kubectl does
            found.setdefault(
                (api_version, kind),
                Kind(api_version, kind, item["resource"], item.get("scope") == "Namespaced"),
            )
    return found
