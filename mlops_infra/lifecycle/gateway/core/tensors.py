"""Raw tensors: the bytes that gRPC and the binary extension of HTTP carry, and the values in JSON.

All forms become one, so that they are checked, logged, mirrored and replayed alike.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any

from mlops_infra.lifecycle.gateway.core.checking import refused
from mlops_infra.lifecycle.gateway.core.fields import FLOATS
from mlops_infra.lifecycle.gateway.core.texts import shown

_LAYOUT = {
    "BOOL": "?",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
"""Datatype to its raw form, little-endian; BYTES has a length of four bytes before each."""
_LENGTH = struct.Struct("<I")
_NAN = float("nan")


def unpacked(name: str, datatype: object, shape: object, raw: bytes) -> list[Any]:
    """The values of a raw tensor; NaN is none, as model servers write it in JSON.

    Raises:
        Refused: the bytes are not those of the shape.
    """
    if datatype == "BYTES":
        return [text_of(name, each) for each in _texts(name, raw)]
    layout = _LAYOUT.get(datatype) if isinstance(datatype, str) else None
    if layout is None:
        raise refused(name, f"datatype {shown(datatype)} is not in the protocol")
    sizes = shape if isinstance(shape, list) and shape else [-1]
    sound = all(type(each) is int and each >= 0 for each in sizes)
    count = prod(sizes) if sound else -1
    if len(raw) != count * struct.calcsize(f"<{layout}"):
        raise refused(name, f"shape {shown(shape)} of {datatype} does not have {len(raw)} bytes")
    values: list[Any] = list(struct.unpack(f"<{count}{layout}", raw))
    return without_nan(values) if datatype in FLOATS else values


def without_nan(values: list[Any]) -> list[Any]:
    """The values, with none for each NaN: JSON has no word for it."""
    if all(each == each for each in values):
        return values
    return [each if each == each else None for each in values]


def packed(datatype: str, data: Sequence[Any]) -> bytes:
    """The raw form of a model's answer.

    Raises:
        ValueError: the values are not of the datatype.
    """
    if datatype == "BYTES":
        texts = [bytes_of(value) for value in data]
        return b"".join(chain.from_iterable((_LENGTH.pack(len(t)), t) for t in texts))
    layout = _LAYOUT.get(datatype)
    if layout is None:
        raise ValueError(f"datatype {shown(datatype)} is not in the protocol")
    try:
        return struct.pack(f"<{len(data)}{layout}", *with_nan(datatype, data))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{datatype}: {error}") from error


def with_nan(datatype: str, data: Sequence[Any]) -> Sequence[Any]:
    """The values, with NaN for each that is none, where the datatype has it."""
    if datatype not in FLOATS or None not in data:
        return data
    return [_NAN if each is None else each for each in data]


def text_of(name: str, value: bytes) -> str:
    """An element of a BYTES tensor.

    Raises:
        Refused: it is not UTF-8.
    """
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise refused(name, "a text is not UTF-8") from error


def bytes_of(value: object) -> bytes:
    """An element of a BYTES tensor in its raw form.

    Raises:
        ValueError: it is missing, or holds half of a surrogate pair.
    """
    if value is None:
        raise ValueError("a missing text has no raw form")
    return value.encode() if isinstance(value, str) else str(value).encode()


def _texts(name: str, raw: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(raw):
        end = at + _LENGTH.size
        if end <= len(raw):
            at, end = end, end + _LENGTH.unpack_from(raw, at)[0]
        if end > len(raw):
            raise refused(name, "the last raw text is truncated")
        found.append(raw[at:end])
        at = end
    return found
