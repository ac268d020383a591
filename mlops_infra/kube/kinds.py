"""Which kinds an API server serves, in every version, and under which paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mlops_infra.kube.failures import ApiError

ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
"""Kubernetes 1.27 and later tell of all kinds in two documents, older ones in one each version."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind in one of its versions."""

    version: str
    """As in `apiVersion`: `apps/v1`."""
    name: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def group(self) -> str:
        """Its API group; empty for the core group."""
        return self.version.rpartition("/")[0]

    def path(self, namespace: str = "", name: str = "") -> str:
        """API path of an object, or of a collection; without a namespace, of all namespaces."""
        root = "/apis/" if "/" in self.version else "/api/"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{self.version}{scope}/{self.plural}" + (f"/{name}" if name else "")


def read_kinds(get: Callable[[str], dict[str, Any]]) -> tuple[Kind, ...]:
    """Ask the server for its kinds.

    A group whose server does not answer is left out; `APIService` objects tell of those.

    Args:
        get: gives the document at a path, asked for with `ACCEPT`.

    Returns:
        Every served kind, versions of one group in the server's order: its preferred one first.
    """
    found: list[Kind] = []
    for root in ("/api", "/apis"):
        document = get(root)
        if document.get("kind") == "APIGroupDiscoveryList":
            for group in document.get("items") or []:
                found += _of_group(group)
        else:
            found += _one_by_one(root, document, get)
    return tuple(found)


def collections(kinds: Iterable[Kind]) -> dict[tuple[str, str], list[Kind]]:
    """Versions of each collection by group and plural, the server's preferred one first.

    One collection holds the same objects whatever version it is read in; the others serve where
    the first one cannot be read, since its conversion fails.
    """
    found: dict[tuple[str, str], list[Kind]] = {}
    for kind in kinds:
        found.setdefault((kind.group, kind.plural), []).append(kind)
    return found


def _of_group(group: dict[str, Any]) -> Iterator[Kind]:
    name = group["metadata"].get("name", "")
    for version in group.get("versions") or []:
        text = f"{name}/{version['version']}" if name else version["version"]
        for item in version.get("resources") or []:
            yield Kind(
                version=text,
                name=(item.get("responseKind") or {}).get("kind", ""),
                plural=item["resource"],
                namespaced=item.get("scope") == "Namespaced",
                verbs=frozenset(item.get("verbs") or ()),
            )


def _one_by_one(
    root: str, document: dict[str, Any], get: Callable[[str], dict[str, Any]]
) -> Iterator[Kind]:
    versions = list(document.get("versions") or [])
    for group in document.get("groups") or []:
        versions += [each["groupVersion"] for each in group["versions"]]
    for version in versions:
        try:
            listed = get(f"{root}/{version}")["resources"]
        except ApiError:
            continue  # an aggregated API without a server
        for item in listed:
            if "/" not in item["name"]:
                yield Kind(
                    version=version,
                    name=item["kind"],
                    plural=item["name"],
                    namespaced=item["namespaced"],
                    verbs=frozenset(item["verbs"]),
                )
