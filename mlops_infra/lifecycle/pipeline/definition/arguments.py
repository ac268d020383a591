"""Values of a run's parameters: from text to their type, and back without loss."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.model import Parameter, Pipeline, Value
from mlops_infra.naming import printable
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
            raise InputError(f"'{printable(pair)}' is not a parameter", hint="use -p name=value")
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
    """One value in the type of its parameter, as a person or a file gives it.

    Raises:
        InputError: it is not of that type or none of its choices, not finite, too long, or not a
            text that a process can be given.
    """
    text = given if isinstance(given, str) else to_text(given)
    try:
        value = converted(parameter.kind, text)
    except ValueError as error:
        what = "parameter" if str(error).startswith("wants") else "the value of"
        raise InputError(
            f"{what} '{parameter.name}' {error}",
            hint=parameter.help or None,
        ) from error
    if parameter.choices and value not in parameter.choices:
        known = ", ".join(printable(to_text(each)) for each in parameter.choices)
        raise InputError(
            f"'{printable(text[:60])}' is not a value of '{parameter.name}'",
            hint=f"one of: {known}",
        )
    return value


def to_text(value: Value) -> str:
    """The value as people read it; `parse` gives the same value back."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def encoded(value: Value) -> str:
    """The value as every engine carries it; `decoded` gives the same value back.

    Engines write a value into JSON, YAML and command lines and have signs of their own there: Argo
    replaces `{{...}}` and fails on rare letters, Kubernetes replaces `$(NAME)` and makes one `$` of
    two, SageMaker takes one line. A text with such signs goes as JSON in plain ASCII.
    """
    text = to_text(value)
    if not isinstance(value, str) or not (_SPECIAL.search(text) or not text.isprintable()):
        return text
    return _ENCODED + json.dumps(text).replace("$", "\\u0024").replace("{", "\\u007b")


def decoded(parameter: Parameter, text: str) -> Value:
    """One value in the type of its parameter, as an engine gives it; raises `InputError`."""
    if parameter.kind != "str" or not text.startswith(_ENCODED):
        return parse(parameter, text)
    try:
        inside = json.loads(text.removeprefix(_ENCODED))
    except ValueError as error:
        raise InputError(
            f"the value of '{parameter.name}' is not valid after {_ENCODED}: {error}"
        ) from error
    return parse(parameter, str(inside))


_ENCODED = "json:"
_SPECIAL = re.compile(rf"\$|\{{\{{|^{_ENCODED}|[^\u0000-\uffff]")
