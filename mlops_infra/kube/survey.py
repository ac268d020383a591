"""Every object of every kind, in some namespaces or by a label; only metadata is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mlops_infra.kube.cluster import Cluster
from mlops_infra.kube.failures import ApiError, UnreachableError
from mlops_infra.kube.kinds import Kind, collections

_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

_TRIES = 2
"""A kind whose objects cannot be converted is told of as busy for ever."""
_TOGETHER = 8
"""Requests at a time."""
_MANY = 500
"""Objects of a kind in the whole cluster above which each namespace is asked for by itself."""
_NOT_OBJECTS = frozenset({"events", "componentstatuses", "bindings", "endpoints"})
"""Kinds that the cluster itself makes and removes, or that are no objects."""


@dataclass(frozen=True, slots=True)
class Found:
    """One object in the cluster."""

    version: str
    kind: str
    plural: str
    namespace: str
    name: str
    uid: str = ""
    finalizers: tuple[str, ...] = ()
    deleted_at: str = ""
    """When its deletion was asked for, as RFC 3339 text; empty where it was not."""
    owners: frozenset[str] = frozenset()
    """Uids of the objects that own it, so that it goes with those."""
    labels: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    annotations: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)

    @property
    def terminating(self) -> bool:
        """Whether its deletion was asked for."""
        return bool(self.deleted_at)

    @property
    def owned(self) -> bool:
        """Whether another object owns it."""
        return bool(self.owners)

    @property
    def path(self) -> str:
        """Its API path."""
        return Kind(self.version, self.kind, self.plural, bool(self.namespace), frozenset()).path(
            self.namespace, self.name
        )

    def age_of_deletion(self, now: datetime | None = None) -> float:
        """Seconds since its deletion was asked for; 0 where it was not."""
        if not self.deleted_at:
            return 0.0
        asked = datetime.fromisoformat(self.deleted_at)
        return max(((now or datetime.now(UTC)) - asked).total_seconds(), 0.0)

    @property
    def title(self) -> str:
        """How messages call it: `ConfigMap mlops/settings`."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"

    def __str__(self) -> str:
        stuck = f", terminating, held by {', '.join(self.finalizers)}" if self.terminating else ""
        return self.title + stuck


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, and which kinds could not be read."""

    objects: tuple[Found, ...]
    unreadable: tuple[tuple[Kind, str], ...]
    """Kinds that no version of could be listed, and why."""


def inside(
    cluster: Cluster,
    namespaces: Sequence[str],
    *,
    only: Callable[[Kind], bool] = lambda _kind: True,
) -> Survey:
    """Every object in `namespaces`, whoever made it, of the kinds that `only` lets through.

    Raises:
        ApiError: the cluster refuses to tell its kinds.
        UnreachableError: it does not answer.
    """
    wanted = frozenset(namespaces)
    return _survey(
        cluster,
        lambda kind: kind.namespaced and only(kind),
        lambda kind: _in_namespaces(cluster, kind, wanted),
    )


def everywhere(cluster: Cluster, only: Callable[[Kind], bool]) -> Survey:
    """Every object of the cluster of the kinds that `only` lets through; raises like `inside`."""
    return _survey(
        cluster, only, lambda kind: list(_read(kind, cluster.get(kind.path(), accept=_METADATA)))
    )


def labelled(cluster: Cluster, selector: str) -> Survey:
    """Every object of the cluster that `selector` matches; raises like `inside`."""
    query = {"labelSelector": selector}
    return _survey(
        cluster,
        lambda _kind: True,
        lambda kind: list(
            _read(kind, cluster.get(kind.path(), query, accept=_METADATA, tries=_TRIES))
        ),
    )


def _survey(
    cluster: Cluster, wanted: Callable[[Kind], bool], read: Callable[[Kind], list[Found]]
) -> Survey:
    served = [
        versions
        for versions in collections(cluster.kinds(fresh=True)).values()
        if _is_listed(versions[0]) and wanted(versions[0])
    ]
    with ThreadPoolExecutor(_TOGETHER) as pool:
        answers = list(pool.map(lambda versions: _any_version(versions, read), served))
    unreadable = [
        (versions[0], answer)
        for versions, answer in zip(served, answers, strict=True)
        if isinstance(answer, str)
    ]
    found = (each for answer in answers if not isinstance(answer, str) for each in answer)
    return Survey(tuple(found), tuple(unreadable))


def _is_listed(kind: Kind) -> bool:
    return {"list", "delete"} <= kind.verbs and kind.plural not in _NOT_OBJECTS


def _any_version(
    versions: Iterable[Kind], read: Callable[[Kind], list[Found]]
) -> list[Found] | str:
    """The objects in the first version that can be read, or why none can."""
    why = ""
    for kind in versions:
        try:
            return read(kind)
        except ApiError as error:
            if error.status in {403, 404, 405}:
                continue  # not ours to see, or not served just now: another version may be
            why = why or error.message
        except UnreachableError as error:
            why = why or error.what
    return why or []


def _in_namespaces(cluster: Cluster, kind: Kind, namespaces: frozenset[str]) -> list[Found]:
    """By one question to the whole cluster where it is small and may be asked so."""
    try:
        answer = cluster.get(kind.path(), {"limit": str(_MANY)}, accept=_METADATA, tries=_TRIES)
    except ApiError as error:
        if error.status != 403:
            raise
    else:
        if not (answer.get("metadata") or {}).get("continue"):
            return [each for each in _read(kind, answer) if each.namespace in namespaces]
    return [
        each
        for name in sorted(namespaces)
        for each in _read(kind, cluster.get(kind.path(name), accept=_METADATA, tries=_TRIES))
    ]


def _read(kind: Kind, answer: dict[str, Any]) -> Iterator[Found]:
    for item in answer.get("items") or ():
        yield found(kind, item)


def found(kind: Kind, item: dict[str, Any]) -> Found:
    """The parts of an object that matter here."""
    meta = item["metadata"]
    in_spec = (item.get("spec") or {}).get("finalizers") if kind.name == "Namespace" else ()
    return Found(
        version=kind.version,
        kind=kind.name,
        plural=kind.plural,
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta.get("uid", ""),
        finalizers=(*(meta.get("finalizers") or ()), *(in_spec or ())),
        deleted_at=meta.get("deletionTimestamp") or "",
        owners=frozenset(ref["uid"] for ref in meta.get("ownerReferences") or ()),
        labels=tuple((meta.get("labels") or {}).items()),
        annotations=tuple((meta.get("annotations") or {}).items()),
    )
