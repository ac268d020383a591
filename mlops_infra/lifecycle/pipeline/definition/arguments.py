"""Values of a run's parameters: from text to their type, and back without loss."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.model import Parameter, Pipeline, Value
from mlops_infra.parameters import converted


def from_text(pairs: Iterable[str], pipeline: Pipeline) -> dict[str, Value]:
    """Read `name=value` pairs, as `-p` gives them, and complete them with the defaults.

    Raises:
        InputError: no such parameter, given twice, or not of its type.
    """
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"'{pair}' is not a parameter", hint="use -p name=value")
        if name in given:
            raise InputError(f"parameter '{name}' is duplicated")
        given[name] = text
    return complete(given, pipeline)


def complete(given: Mapping[str, str | Value], pipeline: Pipeline) -> dict[str, Value]:
    """All parameters of the pipeline: what was given, else the default.

    Raises:
        InputError: no such parameter, or a value is not of its type.
    """
    known = [parameter.name for parameter in pipeline.parameters]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise InputError(
                f"pipeline '{pipeline.name}' has no parameter '{name}'",
                hint=f"did you mean {near[0]}?" if near else f"it has: {', '.join(known)}",
            )
    return {
        parameter.name: parse(parameter, given[parameter.name])
        if parameter.name in given
        else parameter.default
        for parameter in pipeline.parameters
    }


def parse(parameter: Parameter, given: str | Value) -> Value:
    """One value in the type of its parameter.

    Raises:
        InputError: it is not of that type, not finite, or too long.
    """
    text = given if isinstance(given, str) else to_text(given)
    try:
        return converted(parameter.kind, text)
    except ValueError as error:
        raise InputError(
            f"the value of '{parameter.name}' {error}", hint=parameter.help or None
        ) from error


def to_text(value: Value) -> str:
    """The value as every engine carries it; `parse` gives the same value back."""
    return str(value).lower() if isinstance(value, bool) else str(value)
