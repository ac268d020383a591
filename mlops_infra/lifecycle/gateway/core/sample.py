"""A request of one row that a model should answer, made from its signature and declared ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_infra.lifecycle.gateway.core.fields import FLOATS, INTEGERS, Field
from mlops_infra.lifecycle.gateway.core.strict_json import write

_LARGEST = 1 << 16
"""Values of a tensor that are made up."""


def sample_of(fields: Sequence[Field]) -> bytes | None:
    """The request's body; None for a model without a signature, or of tensors too large."""
    document = document_of(fields)
    return write(document) if document is not None else None


def document_of(fields: Sequence[Field]) -> dict[str, Any] | None:
    """The request; None for a model without a signature, or of tensors too large."""
    inputs = [made for field in fields if (made := _input(field)) is not None]
    if not fields or len(inputs) != len(fields):
        return None
    return {"inputs": inputs}


def _input(field: Field) -> Mapping[str, Any] | None:
    datatype = datatype_of(field)
    shape = [max(1, size) for size in field.shape] if field.shape is not None else [1, 1]
    count = 1
    for size in shape:
        count *= size
    if count > _LARGEST or datatype is None:
        return None
    return {
        "name": field.name,
        "datatype": datatype,
        "shape": shape,
        "data": [_value(field, datatype)] * count,
    }


def datatype_of(field: Field) -> str | None:
    """The usual one of the datatypes that carry a field; None where it names none."""
    for datatype in ("FP64", "INT64", "INT32", "FP32", "BOOL", "BYTES"):
        if datatype in field.datatypes:
            return datatype
    return min(field.datatypes, default=None)


def _value(field: Field, datatype: str) -> object:
    if field.values:
        return min(field.values, key=str)
    if datatype == "BOOL":
        return False
    if datatype not in INTEGERS | FLOATS:
        return "2026-01-01" if field.kind == "datetime" else "a"
    least = field.least if field.least is not None else field.most
    value = 1 if least is None else least
    if field.least is not None and field.most is not None:
        value = (field.least + field.most) / 2
    whole = field.integer or datatype in INTEGERS
    return int(value) if whole else float(value)
