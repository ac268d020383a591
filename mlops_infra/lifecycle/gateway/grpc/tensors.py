"""Tensors of the gRPC form as the JSON form writes them, and back.

So both forms are checked, logged, mirrored and replayed as one.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import chain
from math import prod
from typing import Any

from mlops_infra.lifecycle.gateway.core.checking import Refused, flat
from mlops_infra.lifecycle.gateway.core.fields import Refusal
from mlops_infra.lifecycle.gateway.grpc.messages import messages

_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Datatype to where `contents` carries it; FP16 goes raw alone."""
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


def document_of(asked: Any) -> dict[str, Any]:
    """A `ModelInferRequest` as the JSON form writes it.

    Raises:
        Refused: its contents cannot be read.
    """
    raw = asked.raw_input_contents
    if raw and len(raw) != len(asked.inputs):
        raise Refused([Refusal("raw_input_contents", f"{len(raw)} for {len(asked.inputs)} inputs")])
    inputs = [_input(each, raw[at] if raw else None) for at, each in enumerate(asked.inputs)]
    found: dict[str, Any] = {"inputs": inputs}
    if asked.id:
        found["id"] = asked.id
    if asked.parameters:
        found["parameters"] = _plain(asked.parameters)
    if asked.outputs:
        found["outputs"] = [
            {
                "name": each.name,
                **({"parameters": told} if (told := _plain(each.parameters)) else {}),
            }
            for each in asked.outputs
        ]
    return found


def response_of(document: Mapping[str, Any], *, raw: bool) -> Any:
    """The `ModelInferResponse` of an answer in JSON; its tensors raw where the request's were.

    Raises:
        ValueError: a model server gave an answer that is not part of the protocol.
    """
    made = messages()["ModelInferResponse"](
        model_name=document["model_name"],
        model_version=document["model_version"],
        id=document["id"],
    )
    _fill(made.parameters, document.get("parameters"))
    for each in document["outputs"]:
        datatype, data = each["datatype"], flat(each["data"])
        tensor = made.outputs.add(name=each["name"], datatype=datatype, shape=each["shape"])
        _fill(tensor.parameters, each.get("parameters"))
        if raw or datatype not in _CONTENTS:
            made.raw_output_contents.append(_packed(datatype, data))
        else:
            values = [_bytes(value) for value in data] if datatype == "BYTES" else data
            getattr(tensor.contents, _CONTENTS[datatype]).extend(values)
    return made


def _input(tensor: Any, raw: bytes | None) -> dict[str, Any]:
    datatype, shape = tensor.datatype, list(tensor.shape)
    data = _typed(tensor) if raw is None else _unpacked(tensor.name, datatype, shape, raw)
    found = {"name": tensor.name, "shape": shape, "datatype": datatype, "data": data}
    return {**found, "parameters": _plain(tensor.parameters)} if tensor.parameters else found


def _typed(tensor: Any) -> list[Any]:
    field = _CONTENTS.get(tensor.datatype)
    if field is None:
        raise Refused(
            [
                Refusal(
                    tensor.name,
                    f"contents do not support datatype {tensor.datatype!r}: send it raw",
                )
            ]
        )
    others = [each.name for each, _ in tensor.contents.ListFields() if each.name != field]
    if others:
        raise Refused([Refusal(tensor.name, f"{tensor.datatype} belongs into {field}")])
    data = list(getattr(tensor.contents, field))
    return [_text(tensor.name, each) for each in data] if tensor.datatype == "BYTES" else data


def _unpacked(name: str, datatype: str, shape: Sequence[int], raw: bytes) -> list[Any]:
    if datatype == "BYTES":
        return [_text(name, each) for each in _strings(name, raw)]
    layout = _LAYOUT.get(datatype)
    if layout is None:
        raise Refused([Refusal(name, f"datatype {datatype!r} is not in the protocol")])
    wanted = prod(shape) * struct.calcsize(f"<{layout}") if min(shape, default=0) >= 0 else -1
    if len(raw) != wanted:
        raise Refused(
            [Refusal(name, f"shape {list(shape)} of {datatype} does not have {len(raw)} bytes")]
        )
    return list(struct.unpack(f"<{prod(shape)}{layout}", raw))


def _strings(name: str, raw: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(raw):
        end = at + _LENGTH.size
        if end <= len(raw):
            at, end = end, end + _LENGTH.unpack_from(raw, at)[0]
        if end > len(raw):
            raise Refused([Refusal(name, "the last raw text is truncated")])
        found.append(raw[at:end])
        at = end
    return found


def _packed(datatype: str, data: Sequence[Any]) -> bytes:
    if datatype == "BYTES":
        texts = [_bytes(value) for value in data]
        return b"".join(chain.from_iterable((_LENGTH.pack(len(t)), t) for t in texts))
    layout = _LAYOUT.get(datatype)
    if layout is None:
        raise ValueError(f"datatype {datatype!r} is not in the protocol")
    try:
        return struct.pack(f"<{len(data)}{layout}", *data)
    except struct.error as error:
        raise ValueError(f"{datatype}: {error}") from error


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Refused([Refusal(name, "a text is not UTF-8")]) from error


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else str(value).encode()


def _plain(parameters: Any) -> dict[str, Any]:
    return {
        name: getattr(each, choice)
        for name, each in parameters.items()
        if (choice := each.WhichOneof("parameter_choice"))
    }


def _fill(parameters: Any, given: object) -> None:
    """What this form has no type for (numbers with a point, lists) is left out."""
    for name, value in (given if isinstance(given, dict) else {}).items():
        if isinstance(value, bool):
            parameters[name].bool_param = value
        elif isinstance(value, int):
            parameters[name].int64_param = value
        elif isinstance(value, str):
            parameters[name].string_param = value
