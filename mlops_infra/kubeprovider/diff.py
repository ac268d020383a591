"""What changes between recorded and wanted inputs, and whether it can change in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from mlops_infra.kubeprovider.objects import (
    AUTONAMED,
    Object,
    is_true,
    metadata,
    name_of,
    namespace_of,
    normalized,
)
from mlops_infra.kubeprovider.quantities import is_quantity, parse
from mlops_infra.kubeprovider.replacement import Path, force_new, replaces
from mlops_infra.kubeprovider.settings import Settings
from mlops_infra.kubeprovider.values import Tree

_MISSING = object()


class Kind(Enum):
    """Kinds of change, named as in the protocol."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class Change:
    """One place where wanted inputs differ from recorded ones."""

    path: str
    """In Pulumi's notation, for example `spec.containers[0].image`."""
    kind: Kind
    replace: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """The whole verdict on one object."""

    changes: tuple[Change, ...]
    delete_before_replace: bool


def compare(
    old: Object, new: Object, live: Object, settings: Settings, ignore: tuple[str, ...] = ()
) -> Difference:
    """Compare plain inputs.

    Args:
        old: recorded inputs.
        new: wanted inputs.
        live: the object as recorded, for its name and namespace.
        settings: say which kinds may change in place.
        ignore: property paths from the resource option ignoreChanges.
    """
    before, after = _comparable(old, live), _comparable(new, live)
    patterns = force_new(after, settings)
    changes = tuple(
        Change(_spell(path), kind, replaces(path, values, patterns))
        for path, kind, values in _walk((), before, after)
        if not _ignored(_spell(path), ignore)
    )
    replacing = any(change.replace for change in changes)
    return Difference(changes, replacing and _same_place(new, live))


def _comparable(inputs: Object, live: Object) -> Object:
    """Give inputs without a namespace the one they live in: naming it later changes nothing."""
    result = normalized(inputs)
    space = namespace_of(live)
    if space and not namespace_of(result):
        result["metadata"] = {**metadata(result), "namespace": space}
    return result


def _same_place(new: Object, live: Object) -> bool:
    """Two objects cannot have one name: the old one must go first."""
    space = namespace_of(new) or namespace_of(live)
    return (
        name_of(new) == name_of(live)
        and space == namespace_of(live)
        and not is_true(new, AUTONAMED)
    )


def _walk(path: Path, old: Tree, new: Tree) -> Iterator[tuple[Path, Kind, tuple[Tree, Tree]]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(k for k in new if k not in old)]:
            yield from _walk((*path, key), _item(old, key), _item(new, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            was = old[index] if index < len(old) else _MISSING
            now = new[index] if index < len(new) else _MISSING
            yield from _walk((*path, index), was, now)
    elif not _equal(path, old, new):
        kind = Kind.ADD if old is _MISSING else Kind.DELETE if new is _MISSING else Kind.UPDATE
        yield path, kind, (old, new)


def _item(fields: dict[str, Tree], key: str) -> Tree:
    value = fields.get(key)
    return _MISSING if value is None else value


def _equal(path: Path, old: Tree, new: Tree) -> bool:
    if isinstance(old, bool) is isinstance(new, bool) and old == new:
        return True
    if not is_quantity(path):
        return False
    amount = parse(old)
    return amount is not None and amount == parse(new)


def _spell(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(c in part for c in '."[]'):
            text += '["' + part.replace('"', '\\"') + '"]'
        else:
            text += f".{part}" if text else part
    return text


def _ignored(path: str, ignore: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith((f"{place}.", f"{place}[")) for place in ignore)
