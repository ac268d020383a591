"""Whether an object still holds what was applied to it, by the rules of server-side apply. Pure.

What we did not set is somebody else's and is ignored: defaults, status, further labels, further
keys, elements that others added to a list with keys. The object's `managedFields` tell which lists
and maps are such, and which are one value (`rules` of a Role, `args` of a container).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""How Pulumi marks an encrypted value in a state."""
_NOT_COMPARED = frozenset({"apiVersion", "kind", "metadata", "status", "stringData"})
_PROVIDERS = "pulumi.com/"
"""Annotations for the provider alone."""

Tree = Mapping[str, Any]
"""`fieldsV1`: fields that somebody owns."""


@dataclass(slots=True)
class Comparison:
    """What of an object is not as it was applied."""

    altered: dict[str, str] = field(default_factory=dict)
    """Path of a field -> its numbers, such as `0 instead of 1`; no other value is ever shown."""
    unsure: bool = False
    """Somebody else has written encrypted values: only those in clear tell what changed."""


def compare(inputs: Mapping[str, Any], outputs: Mapping[str, Any], live: Tree) -> Comparison:
    """Compare an object with what was applied to it.

    Args:
        inputs: what was applied.
        outputs: what the API server made of it then: with defaults, and in the server's own form.
        live: what there is now.
    """
    walk = _Walk(outputs, live)
    inputs = whole(inputs)
    for name, wanted in inputs.items():
        if name not in _NOT_COMPARED:
            walk.value((name,), (f"f:{name}",), wanted, outputs.get(name), live.get(name))
    about = _mapping(inputs.get("metadata"))
    before, now = _mapping(outputs.get("metadata")), _mapping(live.get("metadata"))
    for name in ("labels", "annotations"):
        wanted = {k: v for k, v in _mapping(about.get(name)).items() if _PROVIDERS not in k}
        path, at = ("metadata", name), ("f:metadata", f"f:{name}")
        walk.value(path, at, wanted, before.get(name), now.get(name))
    return walk.found


def whole(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was applied, with the empty lists that are no field for the API and yet a statement.

    A NetworkPolicy without `egress` allows nothing, and one that gets some by hand allows that.
    """
    if inputs.get("kind") != "NetworkPolicy":
        return inputs
    spec = _mapping(inputs.get("spec"))
    empty: dict[str, Any] = {name.lower(): [] for name in _sequence(spec.get("policyTypes"))}
    return {**inputs, "spec": {**empty, **spec}}


def encrypted(value: object) -> bool:
    """Whether a value of a state is encrypted, or holds one that is."""
    if isinstance(value, Mapping):
        return value.get(_SIGNATURE) == _SECRET or any(map(encrypted, value.values()))
    return isinstance(value, Sequence) and not isinstance(value, str) and any(map(encrypted, value))


def in_clear(value: Any) -> Any:
    """A value of a state that was exported with its secrets shown, without their marks."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return in_clear(json.loads(value["plaintext"]))
        return {name: in_clear(each) for name, each in value.items()}
    if isinstance(value, list):
        return [in_clear(each) for each in value]
    return value


class _Walk:
    def __init__(self, outputs: Tree, live: Tree) -> None:
        self.found = Comparison()
        self._manager = str(outputs.get("__fieldManager") or "")
        self._recorded, self._live = _managed(outputs), _managed(live)
        self._all: Tree | None = None

    def value(
        self, path: tuple[str, ...], at: tuple[str, ...], wanted: Any, before: Any, now: Any
    ) -> None:
        """Compare one field and what is below it.

        Args:
            path: as people read it.
            at: the same in `fieldsV1`.
            wanted: as applied.
            before: as the server had it then.
            now: as it is.
        """
        if wanted is None or now == before:
            return
        if wanted in ({}, []):  # such as `egress` of a policy that allows nothing
            if now and not before and not self._has_parts(at):
                self._note(path, wanted, now)
            return
        if now is None:
            self._note(path, wanted, now)
        elif isinstance(wanted, Mapping) and wanted.get(_SIGNATURE) == _SECRET:
            self.found.unsure |= self._taken(at)
        elif not self._has_parts(at) or not isinstance(wanted, Mapping | list):
            self._whole(path, at, wanted, now)
        elif isinstance(wanted, Mapping):
            for name, each in wanted.items():
                below = _mapping(before).get(name), _mapping(now).get(name)
                self.value((*path, name), (*at, f"f:{name}"), each, *below)
        else:
            self._elements(path, at, wanted, _sequence(before), _sequence(now))

    def _whole(self, path: tuple[str, ...], at: tuple[str, ...], wanted: Any, now: Any) -> None:
        if encrypted(wanted):
            self.found.unsure |= self._taken(at)
        elif now != wanted:
            self._note(path, wanted, now)

    def _elements(
        self,
        path: tuple[str, ...],
        at: tuple[str, ...],
        wanted: Sequence[Any],
        before: Sequence[Any],
        now: Sequence[Any],
    ) -> None:
        marks = [mark for mark in self._node(at) or () if mark.startswith("k:")]
        keys = {mark: json.loads(mark.removeprefix("k:")) for mark in marks}
        for number, each in enumerate(wanted):
            if not isinstance(each, Mapping):
                if each not in now:
                    self._note((*path, str(number)), each, None)
                continue
            mark = next((m for m, key in keys.items() if _has(each, key, missing=True)), None)
            if mark is None:
                self._note((*path, _title(each, number)), each, None)
                continue
            key = keys.pop(mark)
            then, this = (next((e for e in es if _has(e, key)), None) for es in (before, now))
            self.value((*path, _title(each, number)), (*at, mark), each, then, this)

    def _note(self, path: tuple[str, ...], wanted: Any, now: Any) -> None:
        plain = isinstance(wanted, int) and isinstance(now, int)
        self.found.altered[".".join(path)] = f"{now} instead of {wanted}" if plain else ""

    def _taken(self, at: tuple[str, ...]) -> bool:
        """Whether a field that we have written, or one below it, was written by another since."""
        then = _leaves(_at(self._recorded.get(self._manager, {}), at))
        ours = _leaves(_at(self._live.get(self._manager, {}), at))
        others = {
            leaf
            for manager, tree in self._live.items()
            if manager != self._manager
            for leaf in _leaves(_at(tree, at))
        }
        return not ours or bool(then - ours) or bool(others - ours)

    def _has_parts(self, at: tuple[str, ...]) -> bool:
        """Whether the parts of a list or map may belong to different owners."""
        return bool(self._node(at))

    def _node(self, at: tuple[str, ...]) -> Tree | None:
        if self._all is None:
            merged: dict[str, Any] = {}
            for tree in self._live.values():
                _merge(merged, tree)
            self._all = merged
        return _at(self._all, at)


def _managed(item: Tree) -> dict[str, dict[str, Any]]:
    """Field manager -> all that it owns."""
    found: dict[str, dict[str, Any]] = {}
    for entry in _sequence(_mapping(item.get("metadata")).get("managedFields")):
        _merge(found.setdefault(str(entry.get("manager")), {}), _mapping(entry.get("fieldsV1")))
    return found


def _merge(into: dict[str, Any], tree: Tree) -> None:
    for name, below in tree.items():
        _merge(into.setdefault(name, {}), below)


def _at(tree: Tree | None, at: Iterable[str]) -> Tree | None:
    for name in at:
        if tree is None:
            return None
        tree = tree.get(name)
    return tree


def _leaves(tree: Tree | None, path: str = "") -> set[str]:
    if tree is None:
        return set()
    below = {name: each for name, each in tree.items() if name != "."}
    if not below:
        return {path}
    return {leaf for name, each in below.items() for leaf in _leaves(each, f"{path}/{name}")}


def _has(element: object, key: Mapping[str, Any], *, missing: bool = False) -> bool:
    """Whether a list's element has this key; with `missing`, parts of it may have a default."""
    if not isinstance(element, Mapping):
        return False
    return all(
        element[name] == value if name in element else missing for name, value in key.items()
    )


def _title(element: Mapping[str, Any], number: int) -> str:
    return str(element.get("name") or number)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
