"""The state and the plan compared with what is in the cluster, before a run changes anything.

The provider compares its state with the program, not with the cluster: an object that somebody
deleted would stay away, and one that somebody else has made would be taken over in silence and
deleted by `down`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlops_infra.engine.events import Change
from mlops_infra.errors import InputError
from mlops_infra.kube import ApiError, Cluster, Kind

OFFICIAL = "pulumi-kubernetes"
"""Beginning of the field managers that the provider gives by itself."""
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_PAGE = 500
_CREATE = frozenset({"create"})


def vanished(cluster: Cluster, resources: Iterable[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """How many objects a state knows, and the URNs of those that are not in the cluster any more.

    Args:
        cluster: where they were made.
        resources: as `pulumi stack export` has them.
    """
    wanted: dict[Kind, dict[str, str]] = defaultdict(dict)
    kinds = {(kind.version, kind.name): kind for kind in cluster.kinds(fresh=True)}
    gone: list[str] = []
    known = 0
    for each in resources:
        found = _identity(str(each.get("type", "")), each.get("outputs") or {})
        if found is None or not each.get("custom") or each.get("delete"):
            continue
        known += 1
        version, kind, name = found
        if (version, kind) in kinds:
            wanted[kinds[version, kind]][name] = str(each["urn"])
        else:
            gone.append(str(each["urn"]))
    for each_kind, names in wanted.items():
        there = set(_names(cluster, each_kind))
        gone += [urn for name, urn in names.items() if name not in there]
    return known, gone


def refuse_foreign(cluster: Cluster, changes: Iterable[Change], manager: str) -> None:
    """Stop where an object that is to be made is there already and nobody of ours has made it.

    Args:
        cluster: where it would be made.
        changes: what a preview has told.
        manager: the stack's field manager.

    Raises:
        InputError: with all of them.
    """
    kinds = {(kind.version, kind.name): kind for kind in cluster.kinds(fresh=True)}
    foreign = []
    for change in changes:
        found = _identity(change.type, change.new) if change.op in _CREATE else None
        if found is None or (found[0], found[1]) not in kinds:
            continue  # no object, or of a kind that is yet to be defined
        version, kind, name = found
        space, _, own = name.rpartition("/")
        live = cluster.find(kinds[version, kind].path(space, own))
        if live is not None and not _is_ours(live, manager):
            foreign.append(f"{kind} {name}")
    if foreign:
        raise InputError(
            "somebody else has made what this stack is to make: " + ", ".join(foreign),
            hint="delete or rename it; `up` takes over nothing that it has not made itself",
        )


def managers(resources: Iterable[Mapping[str, Any]]) -> set[str]:
    """Field managers that a state names."""
    found = (each.get("outputs", {}).get("__fieldManager") for each in resources)
    return {str(manager) for manager in found if manager}


def _identity(type_token: str, inputs: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """`apiVersion`, kind and `namespace/name` of the object that a resource stands for."""
    package, _, rest = type_token.partition(":")
    metadata = inputs.get("metadata")
    if package != "kubernetes" or not isinstance(metadata, Mapping) or not metadata.get("name"):
        return None
    version, _, kind = rest.rpartition(":")
    version = str(inputs.get("apiVersion") or version.removeprefix("core/"))
    space = metadata.get("namespace")
    return version, kind, f"{space}/{metadata['name']}" if space else str(metadata["name"])


def _names(cluster: Cluster, kind: Kind) -> Iterator[str]:
    token = ""
    while True:
        query = {"limit": str(_PAGE), **({"continue": token} if token else {})}
        try:
            page = cluster.get(kind.path(), query, accept=_METADATA)
        except ApiError as error:
            if error.status == 404:  # its definition went away a moment ago
                return
            raise
        for item in page.get("items") or ():
            about = item["metadata"]
            space = about.get("namespace")
            yield f"{space}/{about['name']}" if space else about["name"]
        token = (page.get("metadata") or {}).get("continue") or ""
        if not token:
            return


def _is_ours(live: Mapping[str, Any], manager: str) -> bool:
    fields = live["metadata"].get("managedFields") or ()
    return any(str(entry.get("manager", "")) == manager for entry in fields)
