"""A request as it came in, and what of it a model server is asked.

The binary extension of the protocol and the client's own id end here: servers are asked in plain
JSON, whichever way a client speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_infra.lifecycle.gateway.core.checking import parsed, refused
from mlops_infra.lifecycle.gateway.core.strict_json import write
from mlops_infra.lifecycle.gateway.core.tensors import unpacked
from mlops_infra.lifecycle.gateway.core.texts import shown

_BINARY_OUTPUT, _BINARY, _SIZE = "binary_data_output", "binary_data", "binary_data_size"
_SIZE_BYTES = _SIZE.encode()


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request of a client."""

    document: Mapping[str, Any]
    """As the JSON form writes it, with the values of binary tensors."""
    received: bytes | None = None
    """The document as it came; None where it was changed since."""
    outputs: Mapping[str, bool | None] = field(default_factory=dict)
    """Outputs that are asked for by name, and whether as binary data; empty: all."""
    binary: bool = False
    """Whether outputs are asked for as binary data where nothing is said of one."""

    @property
    def id(self) -> str | None:
        """What the client calls its request."""
        return self.document.get("id") or None

    def body(self) -> bytes:
        """What a model server is asked; after the check.

        Raises:
            Refused: it has no JSON form.
        """
        # servers give an id back in a header, which takes ASCII alone
        id_travels = self.id is None or self.id.isascii()
        if self.received is not None and id_travels:
            return self.received
        kept = {k: v for k, v in self.document.items() if k != "id" or id_travels}
        try:
            return write(kept)
        except ValueError as error:
            raise refused("request", str(error)) from error


def of_http(body: bytes, header_length: str | None = None) -> Incoming:
    """A request by HTTP.

    Args:
        body: of the request.
        header_length: `Inference-Header-Content-Length`: how much of it is JSON.

    Raises:
        Refused: it is not a JSON object, or its binary data do not fit.
    """
    if header_length is None:
        read = parsed(body)
        if _SIZE_BYTES not in body:  # a look in C: most requests have none
            return of_document(read, body)
        return of_document(_filled(read, b""))
    length = int(header_length) if header_length.isdecimal() and len(header_length) < 12 else -1
    if not 0 < length <= len(body):
        raise refused("Inference-Header-Content-Length", f"{shown(header_length)} does not fit")
    return of_document(_filled(parsed(body[:length]), body[length:]))


def of_document(read: Mapping[str, Any], received: bytes | None = None) -> Incoming:
    """A request whose tensors are in it already."""
    if received is not None and "outputs" not in read and "parameters" not in read:
        return Incoming(read, received)
    document = dict(read)
    outputs: dict[str, bool | None] = {}
    binary = False
    if isinstance(read.get("parameters"), dict) and _BINARY_OUTPUT in read["parameters"]:
        binary = _switch(read["parameters"][_BINARY_OUTPUT], _BINARY_OUTPUT)
        _without(document, _BINARY_OUTPUT)
        received = None
    if isinstance(read.get("outputs"), list):
        document["outputs"] = [_output(each, outputs) for each in read["outputs"]]
        if document["outputs"] != read["outputs"]:
            received = None
    return Incoming(document, received, outputs, binary)


def _filled(read: dict[str, Any], binary: bytes) -> dict[str, Any]:
    """The document with the values of its binary tensors."""
    inputs, at = [], 0
    given = read.get("inputs")
    for each in given if isinstance(given, list) else []:
        size = _size(each)
        if size is None:
            inputs.append(each)
            continue
        name = shown(each.get("name"))
        if type(size) is not int or not 0 <= size <= len(binary) - at:
            raise refused(name, f"{_SIZE} {shown(size)}: the body has {len(binary) - at} bytes")
        if "data" in each:
            raise refused(name, f"it has both data and {_SIZE}")
        raw, at = binary[at : at + size], at + size
        filled = dict(each)
        _without(filled, _SIZE)
        shape = each.get("shape")
        inputs.append({**filled, "data": unpacked(name, each.get("datatype"), shape, raw)})
    if at != len(binary):
        raise refused("request", f"{len(binary) - at} bytes of binary data belong to no input")
    return {**read, "inputs": inputs} if "inputs" in read else read


def _size(given: object) -> Any:
    parameters = given.get("parameters") if isinstance(given, dict) else None
    return parameters.get(_SIZE) if isinstance(parameters, dict) else None


def _output(given: Any, outputs: dict[str, bool | None]) -> Any:
    """A requested output without the extension's switch, which goes to `outputs`."""
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        return given  # the check tells
    parameters = given.get("parameters")
    told = parameters.get(_BINARY) if isinstance(parameters, dict) else None
    outputs[given["name"]] = None if told is None else _switch(told, _BINARY)
    kept = dict(given)
    if told is not None:
        _without(kept, _BINARY)
    return kept


def _without(held: dict[str, Any], parameter: str) -> None:
    held["parameters"] = {k: v for k, v in held["parameters"].items() if k != parameter}
    if not held["parameters"]:
        del held["parameters"]


def _switch(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise refused(name, f"{shown(value)} is neither true nor false")
    return value
