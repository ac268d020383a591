"""What one input of a model may hold: its MLflow signature and the ranges that were declared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops_infra.lifecycle.gateway.core.texts import printable, shown

INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
FLOATS = frozenset({"FP16", "FP32", "FP64"})
WORDS = frozenset({"BYTES"})
DATATYPES = INTEGERS | FLOATS | WORDS | {"BOOL"}
"""Of the protocol."""
_SMALL = frozenset({"INT8", "INT16", "UINT8", "UINT16"})
_ACCEPTED = {
    "boolean": frozenset({"BOOL"}),
    "integer": _SMALL | {"INT32"},
    "long": _SMALL | {"INT32", "UINT32", "INT64"},
    "float": frozenset({"FP16", "FP32"}),
    "double": _SMALL | FLOATS | {"INT32", "UINT32"},
    "string": WORDS,
    "binary": WORDS,
    "datetime": WORDS,
}
"""MLflow's type to the datatypes of the protocol that it takes without losing digits; MLflow itself
refuses the others, with a status that looks like the model's own fault."""
_DTYPES = {
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "bool": "BOOL",
    "str": "BYTES",
    "object": "BYTES",
    **{kind.lower(): kind for kind in INTEGERS},
}
"""NumPy's type of a tensor to the one datatype that carries it."""
_LIMITS: dict[str, tuple[float, float]] = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    "FP16": (-65504.0, 65504.0),
    "FP32": (-3.4028234663852886e38, 3.4028234663852886e38),
    "FP64": (-1.7976931348623157e308, 1.7976931348623157e308),
}
"""Least and greatest value of a datatype: a greater one is an error of the model server."""
_MOST = 20
"""Refusals told at once."""
_WHOLE = 2**63
_TRUTH: AbstractSet[type] = frozenset({bool})
_TEXT: AbstractSet[type] = frozenset({str})
_INTEGER: AbstractSet[type] = frozenset({int})
_NUMBER: AbstractSet[type] = frozenset({int, float})
_WHOLE_KINDS = frozenset({"integer", "long"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """One value that the model must not see, and why."""

    field: str
    reason: str
    value: object = None
    row: int | None = None

    def as_dict(self) -> dict[str, object]:
        """For the answer to the client."""
        told: dict[str, object] = {"field": self.field, "reason": self.reason}
        if self.row is not None:
            told |= {"row": self.row, "value": self._plain_value()}
        return told

    def _plain_value(self) -> object:
        """The value where JSON and everybody's reader can hold it, else its text."""
        if isinstance(self.value, str):
            return printable(self.value, 60)
        if self.value is None or isinstance(self.value, bool):
            return self.value
        if isinstance(self.value, int | float) and abs(self.value) < _WHOLE:
            return self.value
        return shown(self.value)


@dataclass(frozen=True, slots=True)
class Field:
    """One column or tensor."""

    name: str
    kind: str
    """MLflow's type: `double`, `long`, … or a tensor's dtype."""
    required: bool
    datatypes: frozenset[str]
    """Datatypes of the protocol that carry it; empty: any."""
    shape: tuple[int, ...] | None
    """Of a tensor, -1 for any; None for a column, which has one value in each row."""
    least: float | None = None
    most: float | None = None
    values: frozenset[Any] | None = None
    integer: bool = False
    nullable: bool = False
    bits: int | None = None

    def judge(self, datatype: str, data: Sequence[Any]) -> list[Refusal]:
        """What is wrong with the values; the usual good request costs a few passes in C."""
        allowed = self._types(datatype)
        kinds = {type(data[0])} if len(data) == 1 else set(map(type, data))
        if kinds <= allowed and self._within(data, datatype):
            return []
        found = []
        for row, value in enumerate(data):
            reason = self._reason(value, allowed, datatype)
            if reason:
                found.append(Refusal(self.name, reason, value, row))
                if len(found) == _MOST:
                    break
        return found

    def _types(self, datatype: str) -> AbstractSet[type]:
        if datatype == "BOOL":
            return _TRUTH
        if datatype in WORDS:
            return _TEXT
        whole = self.integer or datatype in INTEGERS or self.kind in _WHOLE_KINDS
        return _INTEGER if whole else _NUMBER

    def _within(self, data: Sequence[Any], datatype: str) -> bool:
        if self.values is not None and not self.values.issuperset(data):
            return False
        if not data or type(data[0]) not in _NUMBER:
            return self.kind != "datetime" or all(map(_is_time, data))
        low, high = (data[0], data[0]) if len(data) == 1 else (min(data), max(data))
        # as `_bounds` for both, in one go: most requests pass here
        least, most = _LIMITS[datatype]
        return (
            least <= low
            and high <= most
            and (self.least is None or self.least <= low)
            and (self.most is None or high <= self.most)
            and (self.bits is None or self._bounds(low, datatype) is None)
            and (self.bits is None or self._bounds(high, datatype) is None)
        )

    def _reason(self, value: object, allowed: AbstractSet[type], datatype: str) -> str | None:
        if value is None:
            return None if self.nullable else "it is missing"
        if type(value) not in allowed:
            return _mismatch(value, allowed, datatype)
        if type(value) in (int, float) and (outside := self._bounds(value, datatype)) is not None:  # type: ignore[arg-type]
            return outside
        if self.values is not None and value not in self.values:
            known = ", ".join(sorted(map(str, self.values))[:10])
            return f"{shown(value)} is not one of {known}"
        if self.kind == "datetime" and not _is_time(value):
            return f"{shown(value)} is not a time as ISO 8601 writes it"
        return None

    def _bounds(self, value: float, datatype: str) -> str | None:
        if value != value or value in (math.inf, -math.inf):  # an int may be too great to ask isnan
            return f"{value} is not a number"
        if self.least is not None and value < self.least:
            return f"{shown(value)} is below {_plain(self.least)}{self._span()}"
        if self.most is not None and value > self.most:
            return f"{shown(value)} is above {_plain(self.most)}{self._span()}"
        if self.bits and not -(2 ** (self.bits - 1)) <= value < 2 ** (self.bits - 1):
            return f"{shown(value)} does not fit in {self.bits} bits"
        low, high = _LIMITS[datatype]
        return None if low <= value <= high else f"{shown(value)} does not fit in {datatype}"

    def _span(self) -> str:
        if self.least is None or self.most is None:
            return ""
        return f": {_plain(self.least)} to {_plain(self.most)} is allowed"


def any_field(name: str, datatype: str) -> Field:
    """What a datatype itself allows, for a model that tells nothing of its inputs."""
    return Field(
        name=name,
        kind="",
        required=False,
        datatypes=frozenset({datatype}),
        shape=None,
        # a number with a point may be NaN, a text may be none; servers read null so
        nullable=datatype in FLOATS | WORDS,
    )


def fields_of(
    inputs: Sequence[Mapping[str, Any]], ranges: Mapping[str, Mapping[str, Any]]
) -> tuple[Field, ...]:
    """The fields of a signature's inputs, in their order."""
    return tuple(_field(index, each, ranges) for index, each in enumerate(inputs))


def _field(index: int, read: Mapping[str, Any], ranges: Mapping[str, Mapping[str, Any]]) -> Field:
    name = str(read.get("name") or f"input-{index}")
    span = ranges.get(name, {})
    kind = str(read.get("type"))
    shape = None
    if kind == "tensor":
        spec = read["tensor-spec"]
        kind, shape = str(spec["dtype"]), tuple(int(each) for each in spec["shape"])
        datatypes = frozenset({_DTYPES[kind]} if kind in _DTYPES else ())
    else:
        datatypes = _ACCEPTED.get(kind, frozenset())
    least, most, values = span.get("min"), span.get("max"), span.get("values")
    return Field(
        name=name,
        kind=kind,
        required=bool(read.get("required", True)),
        datatypes=datatypes,
        shape=shape,
        least=least,
        most=most,
        values=frozenset(values) if values is not None else None,
        integer=bool(span.get("integer", False)),
        nullable=bool(span.get("nullable", False)),
        bits={"integer": 32, "long": 64}.get(kind),
    )


def _mismatch(value: object, allowed: AbstractSet[type], datatype: str) -> str:
    if allowed == _INTEGER:
        return f"{shown(value)} is not an integer"
    if allowed == _NUMBER:
        return f"{shown(value)} is not a number"
    return f"{shown(value)} is not {'a text' if allowed == _TEXT else datatype}"


def _is_time(value: object) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _plain(value: float) -> str:
    return f"{value:g}"
