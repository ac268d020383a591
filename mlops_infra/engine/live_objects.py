"""The state and the plan compared with what is in the cluster, before a run changes anything.

The provider compares its state with the program, not with the cluster: an object that somebody
deleted or changed would stay as it is, and one that somebody else has made would be taken over in
silence and deleted by `down`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Literal

from mlops_infra import contract
from mlops_infra.engine import applied_fields
from mlops_infra.engine.events import Change
from mlops_infra.engine.object_key import ObjectKey, component_of, label
from mlops_infra.errors import InputError
from mlops_infra.kube import ApiError, Cluster, Kind
from mlops_infra.kube.objects import Object, name_of, namespace_of

_PAGE = 500
_TOGETHER = 8
"""Requests at a time."""
_TRIES = 2
"""A kind whose objects cannot be converted is reported as busy for ever."""
_CREATE = frozenset({"create"})

Resource = Mapping[str, Any]
"""As `pulumi stack export` has it."""
Reveal = Callable[[], Iterable[Resource]]
"""Reads the state again with its secrets in clear."""
What = Literal["missing", "altered", "being deleted"]


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is not as it was applied."""

    resource: Resource = field(repr=False)
    """Its inputs may be encrypted in part."""
    key: ObjectKey
    what: What
    path: str = ""
    """API path; empty where it is missing."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Altered fields, see `applied_fields.Comparison`."""

    @property
    def urn(self) -> str:
        """Pulumi's name of it."""
        return str(self.resource["urn"])

    def as_change(self) -> Change:
        """What `up` does about it."""
        inputs = self.resource.get("inputs") or {}
        op = "create" if self.what == "missing" else "update"
        keys = tuple(self.fields)
        return Change(self.urn, str(self.resource["type"]), op, keys, inputs, inputs, protect=False)

    def __str__(self) -> str:
        if self.what != "altered":
            return f"{self.key} is {self.what}"
        told = (f"{path} ({numbers})" if numbers else path for path, numbers in self.fields.items())
        return f"{self.key} was changed: {', '.join(told)}"


@dataclass(frozen=True, slots=True)
class LiveState:
    """The objects of a state, compared with the cluster."""

    known: int = 0
    """How many objects the state has."""
    differences: tuple[Difference, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Kinds that could not be listed, and why."""

    def of(self, what: What) -> list[Difference]:
        """The differences of one sort."""
        return [each for each in self.differences if each.what == what]

    def lines(self) -> list[str]:
        """All that is not as it should be, one line each."""
        return [*map(str, self.differences), *self.unreadable]

    def components(self) -> dict[str, int]:
        """Component -> number of its objects that differ."""
        found: dict[str, int] = {}
        for each in self.differences:
            if component := component_of(each.resource.get("inputs") or {}):
                found[component] = found.get(component, 0) + 1
        return found

    def __str__(self) -> str:
        found = [each.what for each in self.differences]
        counts = [f"{found.count(what)} {what}" for what in dict.fromkeys(found)]
        known = str(self.known) if counts else f"all {self.known}"
        return ", ".join([known, *counts, *self.unreadable])


def compare(cluster: Cluster, resources: Iterable[Resource], reveal: Reveal) -> LiveState:
    """Compare the objects of a state with those of the cluster: one LIST a kind.

    Args:
        cluster: where they were made.
        resources: the state's, secrets encrypted.
        reveal: called only where somebody else has written encrypted values.

    Raises:
        ApiError, UnreachableError: the cluster does not tell its kinds, or does not answer.
    """
    served = {(kind.version, kind.name): kind for kind in cluster.kinds(fresh=True)}
    by_kind: dict[Kind, dict[ObjectKey, Resource]] = defaultdict(dict)
    found: list[Difference] = []
    known = list(_objects(resources))
    for key, resource in known:
        if kind := served.get((key.version, key.kind)):
            by_kind[kind][key] = resource
        else:
            found.append(Difference(resource, key, "missing"))
    with ThreadPoolExecutor(_TOGETHER) as pool:
        answers = list(pool.map(lambda kind: _listed(cluster, kind, by_kind[kind]), by_kind))
    unreadable: list[str] = []
    unsure: list[tuple[Difference, Object]] = []
    for (kind, wanted), answer in zip(by_kind.items(), answers, strict=True):
        if isinstance(answer, str):
            unreadable.append(f"{kind.name} objects cannot be compared: {answer}")
            continue
        for key, resource in wanted.items():
            seen, clear = _judged(kind, key, resource, answer.get(key))
            found += [seen] if seen and clear else []
            unsure += [(seen, answer[key])] if seen and not clear else []
    order = {str(resource["urn"]): number for number, (_, resource) in enumerate(known)}
    found += _revealed(unsure, reveal)
    found.sort(key=lambda each: order[each.urn])
    return LiveState(len(known), tuple(found), tuple(unreadable))


def refuse_another_cluster(live: LiveState, half_done: Collection[str], stack: str) -> None:
    """Stop where the cluster has nothing of a stack that was deployed.

    Args:
        live: the comparison.
        half_done: URNs of what a killed run was about; it may have deleted them itself.
        stack: its name.

    Raises:
        InputError: it is another cluster, or one that was made anew.
    """
    missing = {each.urn for each in live.of("missing")}
    if live.known != len(missing) or missing <= set(half_done):
        return
    raise InputError(
        f"the cluster has nothing of this stack, and the state knows {live.known} objects",
        hint=f"check cluster.kubeconfig and cluster.context; if the cluster was made anew: "
        f"mlops-infra down -s {stack}, then up",
    )


def refuse_foreign(cluster: Cluster, changes: Iterable[Change], manager: str) -> None:
    """Stop where an object that is to be made is there already and nobody of ours has made it.

    Args:
        cluster: where it would be made.
        changes: what a preview has told.
        manager: the stack's field manager.

    Raises:
        InputError: with all of them.
    """
    kinds = {(kind.version, kind.name): kind for kind in cluster.kinds()}
    foreign = []
    for change in changes:
        key = change.key if change.op in _CREATE else None
        if key is None or (key.version, key.kind) not in kinds:
            continue  # not an object, or of a kind that is yet to be defined
        live = cluster.find(kinds[key.version, key.kind].path(key.namespace, key.name))
        if live is not None and not _is_ours(live, manager):
            foreign.append(str(key))
    if foreign:
        raise InputError(
            "somebody else has made what this stack is to make: " + ", ".join(foreign),
            hint="delete or rename it; `up` takes over nothing that it has not made itself",
        )


def _objects(resources: Iterable[Resource]) -> Iterator[tuple[ObjectKey, Resource]]:
    for each in resources:
        key = ObjectKey.of(str(each.get("type", "")), each.get("outputs") or {})
        if key is not None and each.get("custom") and not each.get("delete"):
            yield key, each


def _judged(
    kind: Kind, key: ObjectKey, resource: Resource, live: Object | None
) -> tuple[Difference | None, bool]:
    """The difference, if there is one; and whether that is certain without a look at secrets."""
    path = kind.path(key.namespace, key.name)
    if live is None:
        return Difference(resource, key, "missing"), True
    if live["metadata"].get("deletionTimestamp"):
        return Difference(resource, key, "being deleted", path), True
    told = _compared(resource, live)
    if not told.altered and not told.unsure:
        return None, True
    return Difference(resource, key, "altered", path, told.altered), bool(told.altered)


def _compared(resource: Resource, live: Object) -> applied_fields.Comparison:
    inputs, outputs = resource.get("inputs") or {}, resource.get("outputs") or {}
    return applied_fields.compare(inputs, outputs, live)


def _revealed(unsure: Sequence[tuple[Difference, Object]], reveal: Reveal) -> list[Difference]:
    """Those whose secret values differ."""
    if not unsure:
        return []
    clear = {str(each["urn"]): each for each in reveal()}
    found = []
    for each, live in unsure:
        told = _compared(applied_fields.in_clear(clear[each.urn]), live)
        found += [replace(each, fields=told.altered)] if told.altered else []
    return found


def _listed(
    cluster: Cluster, kind: Kind, wanted: Mapping[ObjectKey, Resource]
) -> dict[ObjectKey, Object] | str:
    """The objects of a kind that a state knows, as they are; why they cannot be read."""
    stacks = {label(each.get("inputs") or {}, contract.STACK_LABEL) for each in wanted.values()}
    stack = stacks.pop() if len(stacks) == 1 else ""
    query = {"labelSelector": f"{contract.STACK_LABEL}={stack}"} if stack else {}
    try:
        found = {_key(kind, item): item for item in _pages(cluster, kind, query)}
        if stack:  # one without its label may still be there
            for key in wanted.keys() - found.keys():
                if live := cluster.find(kind.path(key.namespace, key.name)):
                    found[key] = live
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:  # its definition went away a moment ago
            return {}
        return error.message
    return found


def _pages(cluster: Cluster, kind: Kind, query: Mapping[str, str]) -> Iterable[Object]:
    token = ""
    while True:
        more = {"limit": str(_PAGE), **query, **({"continue": token} if token else {})}
        page = cluster.get(kind.path(), more, tries=_TRIES)
        yield from page.get("items") or ()
        token = (page.get("metadata") or {}).get("continue") or ""
        if not token:
            return


def _key(kind: Kind, item: Object) -> ObjectKey:
    return ObjectKey(kind.version, kind.name, namespace_of(item), name_of(item))


def _is_ours(live: Mapping[str, Any], manager: str) -> bool:
    fields = live["metadata"].get("managedFields") or ()
    return any(str(entry.get("manager", "")) == manager for entry in fields)
