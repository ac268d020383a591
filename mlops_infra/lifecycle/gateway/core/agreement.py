"""How much the answers of two models differ, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_infra.lifecycle.gateway.core.form import flat

TOLERANCE = 0.1
"""Relative difference of two numbers that still counts as agreement."""


def disagreement(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> float:
    """Share of rows on which two answers of the protocol disagree, 0 to 1.

    Labels must be equal; of several numbers in a row (probabilities of classes) the greatest must
    stand in the same place; single numbers may differ by `TOLERANCE`. Answers of another form
    disagree altogether.
    """
    left, right = ours.get("outputs"), theirs.get("outputs")
    if not isinstance(left, list) or not isinstance(right, list) or len(left) != len(right):
        return 1.0
    shares = [_share(one, other) for one, other in zip(left, right, strict=True)]
    return max(shares, default=0.0)


def _share(one: object, other: object) -> float:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return 1.0
    mine, yours = _rows(one), _rows(other)
    if mine is None or yours is None or len(mine) != len(yours) or not mine:
        return 1.0
    differing = sum(not _same(a, b) for a, b in zip(mine, yours, strict=True))
    return differing / len(mine)


def _rows(output: Mapping[str, Any]) -> list[list[Any]] | None:
    shape, data = output.get("shape"), output.get("data")
    if not isinstance(data, list) or not isinstance(shape, list) or not shape:
        return None
    values = flat(data)
    if type(shape[0]) is not int or shape[0] < 1 or len(values) % shape[0]:
        return None
    width = len(values) // shape[0]
    return [values[row * width : (row + 1) * width] for row in range(shape[0])]


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    if len(one) != len(other):
        return False
    if not all(isinstance(v, float) for v in (*one, *other)):
        return list(one) == list(other)
    if len(one) > 1:
        return one.index(max(one)) == other.index(max(other))
    return all(
        abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) for a, b in zip(one, other, strict=True)
    )
