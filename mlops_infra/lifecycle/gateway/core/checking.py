"""Holds a request of the Open Inference Protocol against the fields of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from mlops_infra.lifecycle.gateway.core import strict_json
from mlops_infra.lifecycle.gateway.core.fields import Field, Refusal, any_field
from mlops_infra.lifecycle.gateway.core.form import Tensor, tensors
from mlops_infra.lifecycle.gateway.core.texts import printable, shown

_ONE = [1]
_MOST = 20
"""Refusals told at once."""


class Refused(Exception):
    """The request is not to be answered; what is wrong with it, field by field."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        at = f" (row {first.row})" if first.row is not None else ""
        more = f", and {len(refusals) - 1} more" if len(refusals) > 1 else ""
        super().__init__(printable(f"{first.field}{at}: {first.reason}{more}", 1000))
        self.refusals = tuple(refusals)


def refused(field: str, reason: str) -> Refused:
    """A refusal for one reason."""
    return Refused([Refusal(field, reason)])


def parsed(body: bytes) -> dict[str, Any]:
    """Read the body as JSON, strictly.

    Raises:
        Refused: it is not a JSON object.
    """
    try:
        read = strict_json.read(body)
    except ValueError as error:
        raise refused("request", f"it is not valid JSON: {error}") from error
    if not isinstance(read, dict):
        raise refused("request", "it is not a JSON object")
    return read


def check(request: Mapping[str, Any], fields: Sequence[Field]) -> None:
    """Hold the request against the model's fields; without any, against the protocol alone.

    Raises:
        Refused: with every field that is wrong, twenty values at most.
    """
    known = {each.name: each for each in fields}
    given, found = tensors(request, known)
    if not found:
        found = _against(known, given) if fields else _alone(given)
    if found:
        raise Refused(found[:_MOST])


def _alone(given: Mapping[str, Tensor]) -> list[Refusal]:
    judged = (any_field(each.name, each.datatype) for each in given.values())
    return [
        told
        for field, each in zip(judged, given.values(), strict=True)
        for told in field.judge(each.datatype, each.data)
    ]


def _against(known: Mapping[str, Field], given: Mapping[str, Tensor]) -> list[Refusal]:
    first = next(iter(known.values()))
    if len(known) == 1 and first.shape is not None and len(given) == 1:
        # A model of one tensor without a name takes whatever name the client gives it.
        return _judged(first, next(iter(given.values())))
    found = [
        Refusal(name, "it is missing")
        for name, each in known.items()
        if name not in given and each.required
    ]
    if any(name not in known for name in given):
        names = ", ".join(list(known)[:10])
        found += [
            Refusal(name, f"unknown input; the model has {names}")
            for name in given
            if name not in known
        ]
    rows = set()
    for name, each in given.items():
        if name in known:
            found += _judged(known[name], each)
            rows.add(each.shape[0])
    if len(rows) > 1:
        first_known = next(name for name in given if name in known)
        found.append(Refusal(first_known, f"inputs differ in rows: {sorted(rows)}"))
    return found


def _judged(field: Field, given: Tensor) -> list[Refusal]:
    if field.datatypes and given.datatype not in field.datatypes:
        accepted = ", ".join(sorted(field.datatypes))
        return [Refusal(field.name, f"{given.datatype} cannot carry {field.kind}: {accepted} can")]
    if not _fits(given.shape, field.shape):
        expected = list(field.shape) if field.shape is not None else "[rows] or [rows, 1]"
        return [Refusal(field.name, f"shape {shown(given.shape)} does not fit {expected}")]
    return field.judge(given.datatype, given.data) if field.datatypes else []


def _fits(shape: Sequence[int], wanted: Sequence[int] | None) -> bool:
    if wanted is None:
        return len(shape) == 1 or shape[1:] == _ONE or prod(shape[1:]) == 1
    return len(shape) == len(wanted) and all(
        want in (-1, size) for size, want in zip(shape, wanted, strict=True)
    )
