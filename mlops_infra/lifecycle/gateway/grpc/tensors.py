"""Requests and answers of the gRPC form as the JSON form writes them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra.lifecycle.gateway.core.checking import refused
from mlops_infra.lifecycle.gateway.core.fields import FLOATS
from mlops_infra.lifecycle.gateway.core.form import flat
from mlops_infra.lifecycle.gateway.core.tensors import (
    bytes_of,
    packed,
    text_of,
    unpacked,
    with_nan,
    without_nan,
)
from mlops_infra.lifecycle.gateway.core.texts import shown
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


def document_of(asked: Any) -> dict[str, Any]:
    """A `ModelInferRequest` as the JSON form writes it.

    Raises:
        Refused: its contents cannot be read.
    """
    raw = asked.raw_input_contents
    if raw and len(raw) != len(asked.inputs):
        raise refused("raw_input_contents", f"{len(raw)} for {len(asked.inputs)} inputs")
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
    held = [(each, each["datatype"], flat(each["data"])) for each in document["outputs"]]
    # a response is raw as a whole: a client reads all of its tensors from there, or none
    raw = raw or any(datatype not in _CONTENTS for _, datatype, _ in held)
    for each, datatype, data in held:
        tensor = made.outputs.add(name=each["name"], datatype=datatype, shape=each["shape"])
        _fill(tensor.parameters, each.get("parameters"))
        if raw:
            made.raw_output_contents.append(packed(datatype, data))
        else:
            values = (
                [bytes_of(value) for value in data]
                if datatype == "BYTES"
                else with_nan(datatype, data)
            )
            getattr(tensor.contents, _CONTENTS[datatype]).extend(values)
    return made


def _input(tensor: Any, raw: bytes | None) -> dict[str, Any]:
    datatype, shape = tensor.datatype, list(tensor.shape)
    data = _typed(tensor) if raw is None else unpacked(tensor.name, datatype, shape, raw)
    found = {"name": tensor.name, "shape": shape, "datatype": datatype, "data": data}
    return {**found, "parameters": _plain(tensor.parameters)} if tensor.parameters else found


def _typed(tensor: Any) -> list[Any]:
    datatype = tensor.datatype
    field = _CONTENTS.get(datatype)
    if field is None:
        told = f"contents do not support datatype {shown(datatype)}: send it raw"
        raise refused(tensor.name, told)
    others = [each.name for each, _ in tensor.contents.ListFields() if each.name != field]
    if others:
        raise refused(tensor.name, f"{datatype} belongs into {field}")
    data = list(getattr(tensor.contents, field))
    if datatype == "BYTES":
        return [text_of(tensor.name, each) for each in data]
    return without_nan(data) if datatype in FLOATS else data


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
