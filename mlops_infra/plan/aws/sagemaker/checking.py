"""Holds a definition that somebody wrote against what SageMaker would refuse minutes later."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.sagemaker import VERSION

_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,63}")
"""Of a pipeline's step, says the API (also of those inside of conditions)."""
LARGEST = 1_048_576
"""Characters of a definition, says CreatePipeline."""


def check_definition(text: str, where: str) -> dict[str, Any]:
    """Read a definition.

    Args:
        text: JSON.
        where: the file it came from.

    Raises:
        InputError: with every mistake: no JSON, too long, a step twice, a reference to nothing.
    """
    try:
        read = json.loads(text)
    except ValueError as error:
        raise InputError(f"the definition is not valid JSON: {error}", where=where) from error
    if not isinstance(read, dict):
        raise InputError("the definition is not a JSON object", where=where)
    found = list(_mistakes(read, len(text)))
    if found:
        raise InputError(
            f"SageMaker would refuse the definition: {'; '.join(found)}",
            where=where,
            hint="mlops-infra pipeline compile PIPELINE --engine sagemaker writes one",
        )
    return read


def _mistakes(read: dict[str, Any], length: int) -> Iterator[str]:
    if read.get("Version") != VERSION:
        yield f"Version is {read.get('Version')!r}, not '{VERSION}'"
    if length > LARGEST:
        yield f"{length} characters, at most {LARGEST} are allowed"
    steps = list(_steps(read.get("Steps")))
    names = [str(step.get("Name")) for step in steps]
    if not steps:
        yield "no Steps"
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"'{name}' is not a valid step name"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"step '{name}' is duplicated"
    yield from _wiring(read, steps, set(names))


def _wiring(read: dict[str, Any], steps: list[dict[str, Any]], names: set[str]) -> Iterator[str]:
    for step in steps:
        for needed in step.get("DependsOn") or ():
            if needed not in names:
                yield f"step '{step.get('Name')}' depends on '{needed}', which does not exist"
    parameters = {str(each.get("Name")) for each in _objects(read.get("Parameters"))}
    known = {"Parameters": (parameters, "parameter"), "Steps": (names, "step")}
    for reference in sorted(set(_references(read.get("Steps")))):
        kind, _, rest = reference.partition(".")
        first = rest.partition(".")[0]
        there, what = known.get(kind, ({first}, kind))
        if first not in there:
            yield f"no such {what}: '{first}'"


def _steps(value: Any) -> Iterator[dict[str, Any]]:
    """All steps, those inside of conditions too."""
    for step in _objects(value):
        yield step
        arguments = step.get("Arguments")
        if isinstance(arguments, dict):
            for key in ("IfSteps", "ElseSteps"):
                yield from _steps(arguments.get(key))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        got = value.get("Get")
        if isinstance(got, str):
            yield got
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
