"""A model's answer as it goes back to the client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra.lifecycle.gateway.core.checking import refused
from mlops_infra.lifecycle.gateway.core.form import flat
from mlops_infra.lifecycle.gateway.core.incoming import Incoming
from mlops_infra.lifecycle.gateway.core.strict_json import write
from mlops_infra.lifecycle.gateway.core.tensors import packed
from mlops_infra.lifecycle.gateway.core.texts import shown


def selected(document: Mapping[str, Any], request: Incoming) -> list[Mapping[str, Any]]:
    """The outputs that the request asks for, in its order; all where it names none.

    Raises:
        Refused: the model has no such output.
    """
    outputs: list[Mapping[str, Any]] = document["outputs"]
    if not request.outputs:
        return outputs
    held = {each["name"]: each for each in outputs}
    missing = next((name for name in request.outputs if name not in held), None)
    if missing is not None:
        known = ", ".join(map(shown, list(held)[:10]))
        raise refused("outputs", f"the model has no output {shown(missing)}; it has {known}")
    return [held[name] for name in request.outputs]


def written(document: Mapping[str, Any], request: Incoming) -> tuple[bytes, int | None]:
    """The body of an answer by HTTP, and how much of it is JSON where binary data follow.

    Raises:
        ValueError: the model server's answer is not part of the protocol.
    """
    if not request.binary and not any(request.outputs.values()):
        return write(document), None
    raw: list[bytes] = []
    outputs = [_output(each, request, raw) for each in document["outputs"]]
    head = write({**document, "outputs": outputs})
    return b"".join([head, *raw]), len(head)


def _output(given: Mapping[str, Any], request: Incoming, raw: list[bytes]) -> Mapping[str, Any]:
    wanted = request.outputs.get(given["name"])
    if not (request.binary if wanted is None else wanted):
        return given
    raw.append(packed(given["datatype"], flat(given["data"])))
    kept = {k: v for k, v in given.items() if k != "data"}
    parameters = given.get("parameters")
    told = parameters if isinstance(parameters, dict) else {}
    return {**kept, "parameters": {**told, "binary_data_size": len(raw[-1])}}
