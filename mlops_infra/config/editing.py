"""Changes one entry of a stack's file and leaves every other line as it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from mlops_infra.errors import InputError

TENANTS = ("config", "mlops-infra:tenants")
ALLOW_REMOVAL = ("config", "mlops-infra:allowRemoval")


def without_tenant(text: str, name: str, *, where: str) -> str:
    """The file's text without the tenant `name`.

    Args:
        text: of a stack's file that has been checked.
        name: a tenant that it declares.
        where: the file, for the error.

    Raises:
        InputError: the tenant does not stand in lines of its own, so a person has to do it.
    """
    path = [*TENANTS, name]
    wanted = yaml.safe_load(text)
    declared = _at(wanted, TENANTS)
    del declared[name]
    if not declared:  # a key without a value would be a mistake
        path = list(TENANTS)
        del _at(wanted, TENANTS[:-1])[TENANTS[-1]]
    first, last = _lines(yaml.compose(text, Loader=yaml.SafeLoader), path)
    lines = text.splitlines(keepends=True)
    found = "".join([*lines[:first], *lines[last + 1 :]])
    if not _means(found, wanted):
        raise InputError(
            f"tenant {name} shares its lines with something else",
            where=f"{where}:{first + 1}",
            hint=f"remove {name} from mlops-infra:tenants by hand, then: mlops-infra up -s STACK",
        )
    return found


def with_removal(text: str, key: str, *, where: str) -> str:
    """The file's text with `key` in `allowRemoval`.

    Args:
        text: of a stack's file that has been checked.
        key: such as `tenant/demo`.
        where: the file, for the error.

    Raises:
        InputError: the list shares its lines with something else, so a person has to do it.
    """
    wanted = yaml.safe_load(text)
    settings, name = wanted[ALLOW_REMOVAL[0]], ALLOW_REMOVAL[1]
    before = list(settings.get(name) or ())
    if key in before:
        return text
    settings[name] = [*before, key]
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    path = list(ALLOW_REMOVAL) if before else [ALLOW_REMOVAL[0], next(iter(settings))]
    first, last = _lines(root, path)
    lines = text.splitlines(keepends=True)
    line = lines[first]
    indent = line[: len(line) - len(line.lstrip())]
    fresh = f"{indent}{name}: [{', '.join(settings[name])}]\n"
    found = "".join([*lines[:first], fresh, *lines[last + 1 if before else first :]])
    if not _means(found, wanted):
        raise InputError(
            f"{name} shares its lines with something else",
            where=f"{where}:{first + 1}",
            hint=f"add {key} to {name} by hand, then: mlops-infra up -s STACK",
        )
    return found


def _means(text: str, wanted: object) -> bool:
    try:
        return bool(yaml.safe_load(text) == wanted)
    except yaml.YAMLError:
        return False


def _at(tree: Any, path: Sequence[str]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _lines(node: yaml.Node | None, path: Sequence[str]) -> tuple[int, int]:
    """First and last line, from 0, of the entry at `path`."""
    first = 0
    for wanted in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        key, node = next(pair for pair in pairs if pair[0].value == wanted)
        first = key.start_mark.line
    return first, _last(node)


def _last(node: Any) -> int:
    """The line of the last word of `node`; a block's own end is where the next one begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    # a block of text ends at the beginning of the line after it
    after = int(mark.column == 0 and mark.line > node.start_mark.line)
    return int(mark.line) - after
