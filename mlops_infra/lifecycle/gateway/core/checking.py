"""Holds a request of the Open Inference Protocol against the fields of a model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any, NoReturn

from mlops_infra.lifecycle.gateway.core.fields import Field, Refusal

_DATATYPES = frozenset(
    {"BOOL", "BYTES", "FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64"}
    | {"UINT8", "UINT16", "UINT32", "UINT64"}
)
_MOST = 20
"""Refusals told at once, and the deepest nesting of data that is looked into."""


class Refused(Exception):
    """The request is not to be answered; what is wrong with it, field by field."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        at = f" (row {first.row})" if first.row is not None else ""
        more = f", and {len(refusals) - 1} more" if len(refusals) > 1 else ""
        super().__init__(f"{first.field}{at}: {first.reason}{more}")
        self.refusals = tuple(refusals)


def parsed(body: bytes) -> dict[str, Any]:
    """Read the body as JSON, strictly: NaN and Infinity are not valid JSON.

    Raises:
        Refused: it is not a JSON object.
    """
    try:
        read = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused([Refusal("request", f"it is not valid JSON: {error}")]) from error
    if not isinstance(read, dict):
        raise Refused([Refusal("request", "it is not a JSON object")])
    return read


def check(request: Mapping[str, Any], fields: Sequence[Field]) -> None:
    """Hold the request against the model's fields; without any, only its form is looked at.

    Raises:
        Refused: with every field that is wrong, twenty values at most.
    """
    inputs = request.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise Refused([Refusal("inputs", "a list with at least one input is needed")])
    found: list[Refusal] = []
    given: dict[str, Mapping[str, Any]] = {}
    for index, each in enumerate(inputs):
        malformed = _malformed(index, each)
        if malformed:
            found.append(malformed)
        elif each["name"] in given:
            found.append(Refusal(each["name"], "it is duplicated"))
        else:
            given[each["name"]] = each
    if fields and not found:
        found = _against(fields, given)
    if found:
        raise Refused(found[:_MOST])


def flat(data: Iterable[Any]) -> list[Any]:
    """The elements of nested lists, in row-major order."""
    held = list(data)
    for _ in range(_MOST):
        if list not in set(map(type, held)):
            return held
        held = [inner for each in held for inner in (each if type(each) is list else (each,))]
    return held


def _malformed(index: int, given: object) -> Refusal | None:
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        return Refusal(f"inputs[{index}]", "it has no name")
    name, shape, data = given["name"], given.get("shape"), given.get("data")
    if given.get("datatype") not in _DATATYPES:
        return Refusal(name, f"datatype {given.get('datatype')!r} is not in the protocol")
    sizes = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if not sizes or not shape:
        return Refusal(name, f"shape {shape!r} is not a list of sizes")
    if not isinstance(data, list):
        return Refusal(name, "data must be a list; binary tensors are not supported")
    return None


def _against(fields: Sequence[Field], given: Mapping[str, Mapping[str, Any]]) -> list[Refusal]:
    if len(fields) == 1 and fields[0].shape is not None and len(given) == 1:
        # A model of one tensor without a name takes whatever name the client gives it.
        return _judged(fields[0], next(iter(given.values())))
    found = [
        Refusal(each.name, "it is missing")
        for each in fields
        if each.required and each.name not in given
    ]
    known = {each.name: each for each in fields}
    names = ", ".join(list(known)[:10])
    found += [
        Refusal(name, f"unknown input; the model has {names}")
        for name in given
        if name not in known
    ]
    present = [known[name] for name in given if name in known]
    for each in present:
        found += _judged(each, given[each.name])
    rows = {given[each.name]["shape"][0] for each in present}
    if len(rows) > 1:
        found.append(Refusal(present[0].name, f"inputs differ in rows: {sorted(rows)}"))
    return found


def _judged(field: Field, given: Mapping[str, Any]) -> list[Refusal]:
    datatype, shape = given["datatype"], given["shape"]
    if field.datatypes and datatype not in field.datatypes:
        wanted = ", ".join(sorted(field.datatypes))
        return [Refusal(field.name, f"{datatype} cannot carry {field.kind}: {wanted} can")]
    if not _fits(shape, field.shape):
        expected = list(field.shape) if field.shape is not None else "[rows] or [rows, 1]"
        return [Refusal(field.name, f"shape {shape} does not fit {expected}")]
    data = flat(given["data"])
    if len(data) != prod(shape):
        return [Refusal(field.name, f"shape {shape} needs {prod(shape)} values, not {len(data)}")]
    return field.judge(datatype, data) if field.datatypes else []


def _fits(shape: Sequence[int], wanted: Sequence[int] | None) -> bool:
    if wanted is None:
        return prod(shape[1:]) == 1
    return len(shape) == len(wanted) and all(
        want in (-1, size) for size, want in zip(shape, wanted, strict=True)
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
