"""Versions and ranges as upstream projects write them: `v1.18.0`, `2.17.0-rc1`, `>=1.30,<1.36`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from operator import eq, ge, gt, le, lt
from typing import Any

_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)(?:[-.]?([A-Za-z].*))?")
_CLAUSE = re.compile(r"(>=|<=|>|<|==)\s*(\S+)")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": ge,
    "<=": le,
    ">": gt,
    "<": lt,
    "==": eq,
}

_Key = tuple[tuple[int, ...], int, str]


def _key(version: str) -> _Key:
    found = _NUMBERS.fullmatch(version.partition("+")[0])
    if not found:
        raise ValueError(f"'{version}' is not a version")
    numbers = [int(part) for part in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    # a pre-release comes before its release
    return tuple(numbers), 0 if found[2] else 1, found[2] or ""


def matches(version: str, wanted: str) -> bool:
    """Whether `version` lies in the range `wanted`; `*` holds them all.

    Raises:
        ValueError: one of the two cannot be read.
    """
    if wanted.strip() == "*":
        return True
    clauses = [clause.strip() for clause in wanted.split(",")]
    return all(_holds(version, clause) for clause in clauses)


def _holds(version: str, clause: str) -> bool:
    found = _CLAUSE.fullmatch(clause)
    if not found:
        raise ValueError(f"'{clause}' is not a range")
    return _OPERATORS[found[1]](_key(version), _key(found[2]))


def newest_first(versions: Iterable[str]) -> list[str]:
    """The versions in falling order."""
    return sorted(versions, key=_key, reverse=True)
