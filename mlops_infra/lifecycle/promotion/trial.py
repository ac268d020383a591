"""Asks a version something that it should answer, through the gateway, before it gets traffic.

A version that nobody has asked yet looks as healthy as one that answers everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.client import Observer
from mlops_infra.lifecycle.gateway.core.checking import Refused, check
from mlops_infra.lifecycle.gateway.core.fields import Field, fields_of
from mlops_infra.lifecycle.gateway.core.route import Target
from mlops_infra.lifecycle.gateway.core.sample import datatype_of, document_of
from mlops_infra.lifecycle.gateway.core.strict_json import write
from mlops_infra.lifecycle.registry.versions import Registered, Registry

LARGEST_SAMPLE = 16 << 10
"""Bytes of a request that is kept in the route."""


class Unanswered(OperationFailed):
    """The version answers nothing that it was asked."""


def answered(
    observer: Observer,
    registry: Registry,
    candidate: Registered,
    target: Target,
    champion: Target | None,
) -> Target:
    """The target with what it was asked and how it answers.

    Args:
        observer: asks through the gateway, which follows a route with this version.
        registry: has the version's own example.
        candidate: the version.
        target: where it serves.
        champion: who serves now: what it has answered may be asked again. The same version on
            another engine, where a model is moved.

    Raises:
        Unanswered: it answers none of the requests, or there is nothing to ask.
    """
    elsewhere = champion is not None and champion.version == target.version
    named = target.label if elsewhere and not target.same_server(champion) else target.version
    why = "nothing can be asked of it: it has neither an input example nor a signature"
    for request in _requests(registry, candidate, champion):
        reply = observer.asked(candidate.name, named, request)
        if reply.answered:
            small = len(write(request)) <= LARGEST_SAMPLE
            return replace(target, outputs=reply.outputs, sample=request if small else None)
        why = f"it does not answer a request of its own form: {reply.reason}"
    raise Unanswered(why, hint="log the model with input_example=, and try it where it was trained")


def _requests(
    registry: Registry, candidate: Registered, champion: Target | None
) -> Iterator[Mapping[str, Any]]:
    """What may be asked, the likeliest to be answered first; each fits the signature."""
    fields = fields_of(candidate.inputs, candidate.ranges)
    example = registry.example(candidate)
    offered = (
        of_example(example, fields) if example is not None else None,
        champion.sample if champion is not None else None,
        document_of(fields),
    )
    made: list[Mapping[str, Any]] = []
    for request in offered:
        if request is None or request in made:
            continue
        try:
            check(request, fields)
        except Refused:
            continue
        made.append(request)
        yield request


def of_example(example: object, fields: Sequence[Field]) -> dict[str, Any] | None:
    """The first row of an input example, as MLflow writes it for servers, as a request."""
    if not isinstance(example, dict):
        return None
    row = _first_row(example)
    if row is not None:
        held = [(field, row[field.name]) for field in fields if row.get(field.name) is not None]
        inputs = [_input(field, [1, 1], [value]) for field, value in held]
    else:
        given = example.get("inputs", example.get("instances"))
        tensors = given if isinstance(given, dict) else {f.name: given for f in fields[:1]}
        inputs = [
            _input(field, [1, *_shape(rows[0])], rows[:1])
            for field in fields
            if isinstance(rows := tensors.get(field.name), list) and rows
        ]
    return {"inputs": inputs} if inputs else None


def _first_row(example: Mapping[str, Any]) -> Mapping[str, Any] | None:
    split, records = example.get("dataframe_split"), example.get("dataframe_records")
    if isinstance(split, dict) and split.get("data"):
        columns = split.get("columns") or []
        return dict(zip(map(str, columns), split["data"][0], strict=False))
    if isinstance(records, list) and records and isinstance(records[0], dict):
        return records[0]
    return None


def _input(field: Field, shape: list[int], data: list[Any]) -> dict[str, Any]:
    datatype = datatype_of(field) or "BYTES"
    return {"name": field.name, "datatype": datatype, "shape": shape, "data": data}


def _shape(row: object) -> list[int]:
    sizes = []
    while isinstance(row, list) and row:
        sizes.append(len(row))
        row = row[0]
    return sizes
