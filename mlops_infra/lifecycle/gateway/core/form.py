"""What holds for the request of any model: the form that the protocol gives it.

What does not hold is refused here, before a model server sees it: servers answer such requests with
errors that look like their own.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from math import isfinite, prod
from typing import Any, NamedTuple

from mlops_infra.lifecycle.gateway.core.fields import DATATYPES, Refusal
from mlops_infra.lifecycle.gateway.core.texts import name_fault, shown, value_fault

_MOST = 20
"""The deepest nesting of data and of parameters that is looked into."""
_LARGEST_SIZE = 2**31
_SIZES = {int}
_ONE_ROW = ([1, 1], [1])
_INPUT = frozenset({"name", "shape", "datatype", "data"})
_REQUEST = frozenset({"inputs", "id"})


class Ragged(ValueError):
    """Nested lists of different lengths."""


class Tensor(NamedTuple):
    """One input, read: its data in row-major order. A tuple, as each costs every request time."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


def flat(data: Iterable[Any]) -> list[Any]:
    """The elements of nested lists, in row-major order.

    Raises:
        Ragged: lists at one level differ in length, or stand beside single values.
    """
    held = data if type(data) is list else list(data)
    for _ in range(_MOST):
        kinds = set(map(type, held))
        if list not in kinds:
            return held
        if len(kinds) > 1 or len(set(map(len, held))) > 1:
            raise Ragged("its lists differ in length or depth")
        held = [inner for each in held for inner in each]
    raise Ragged("it is nested too deeply")


def tensors(
    request: Mapping[str, Any], known: Container[str] = ()
) -> tuple[dict[str, Tensor], list[Refusal]]:
    """The inputs by name, and what is wrong with the request's form.

    Args:
        request: as it was read.
        known: names of the model's own inputs, whatever characters they have.
    """
    found = _texts(request)
    given: dict[str, Tensor] = {}
    inputs = request.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        return given, [Refusal("inputs", "a list with at least one input is needed")]
    for index, each in enumerate(inputs):
        read = _tensor(index, each, known)
        if isinstance(read, Refusal):
            found.append(read)
        elif read.name in given:
            found.append(Refusal(read.name, "it is duplicated"))
        else:
            given[read.name] = read
            if len(each) > len(_INPUT):
                found += _plain(read.name, each, but=_INPUT)
    return given, found


def _texts(request: Mapping[str, Any]) -> list[Refusal]:
    """What is wrong with the client's own texts: id, parameters, requested outputs."""
    found = []
    if (given := request.get("id")) is not None and (fault := name_fault(given)):
        found.append(Refusal("id", fault))
    if len(request) > 1:
        found += _plain("request", request, but=_REQUEST)
    outputs = request.get("outputs")
    if outputs is None:
        return found
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        return [*found, Refusal("outputs", "it is not a list of objects")]
    faults = (name_fault(each.get("name")) for each in outputs)
    return found + [Refusal("outputs", fault) for fault in faults if fault]


def _tensor(index: int, given: object, known: Container[str]) -> Tensor | Refusal:
    name = given.get("name") if type(given) is dict else None
    if type(given) is not dict or type(name) is not str:
        return Refusal(f"inputs[{index}]", "it has no name")
    if name not in known and (fault := name_fault(name)):
        return Refusal(f"inputs[{index}]", f"its name: {fault}")
    shape, data, datatype = given.get("shape"), given.get("data"), given.get("datatype")
    if type(datatype) is not str or datatype not in DATATYPES:
        return Refusal(name, f"datatype {shown(datatype)} is not in the protocol")
    count = _count(shape)
    if count is None or not isinstance(shape, list):
        empty = type(shape) is list and 0 in shape
        told = "has no elements" if empty else "is not a list of sizes"
        return Refusal(name, f"shape {shown(shape)} {told}")
    if type(data) is not list:
        return Refusal(name, "data must be a list, or follow as binary data")
    if len(data) != 1 or type(data[0]) is list:
        try:
            data = flat(data)
        except Ragged as error:
            return Refusal(name, f"data: {error}")
    if len(data) != count:
        told = f"needs {shown(count)} values, not {len(data)}"
        return Refusal(name, f"shape {shown(shape)} {told}")
    return Tensor(name, datatype, shape, data)


def _count(shape: object) -> int | None:
    """How many elements a shape has; None where it is not a list of sizes, or has none."""
    if type(shape) is not list or not shape:
        return None
    if type(shape[0]) is type(shape[-1]) is int and shape in _ONE_ROW:
        return 1
    if set(map(type, shape)) != _SIZES or min(shape) < 1 or max(shape) > _LARGEST_SIZE:
        return None
    return prod(shape)


def _plain(
    field: str, held: Mapping[str, Any], *, but: frozenset[str] = frozenset()
) -> list[Refusal]:
    """What is wrong with members of an object, but for some: they travel on as they are."""
    found = []
    for name, value in held.items():
        if name in but:
            continue
        fault = name_fault(name) or _value_fault(value, _MOST)
        if fault:
            found.append(Refusal(field, f"{shown(name)}: {fault}"))
    parameters = held.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        found.append(Refusal(field, "parameters is not an object"))
    return found


def _value_fault(value: object, depth: int) -> str | None:
    if depth == 0:
        return "it is nested too deeply"
    if isinstance(value, str):
        return value_fault(value)
    if isinstance(value, float) and not isfinite(value):
        return f"{value} is not a number"
    if isinstance(value, int) and abs(value) >= 2**64:
        return f"{shown(value)} does not fit in 64 bits"
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        names = (name_fault(name) for name in value)
        if fault := next(filter(None, names), None):
            return fault
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    return next(filter(None, (_value_fault(each, depth - 1) for each in inner)), None)
