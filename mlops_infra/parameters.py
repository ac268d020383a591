"""The built-in pipelines' parameters, and the types that a parameter's value can have.

`check` holds the declared models against them, and `mlops_infra.lifecycle.pipeline` makes the
pipelines of them: what `check` passes is what a training takes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from mlops_infra.naming import printable

Value = str | int | float | bool
Kind = Literal["str", "int", "float", "bool"]
ALGORITHMS = ("linear", "forest", "boosting", "neighbours")
METRICS: Mapping[str, tuple[str, ...]] = {
    "classification": ("accuracy", "f1_macro", "log_loss"),
    "regression": ("r2", "mae", "rmse"),
}
"""What the built-in pipelines measure, by task."""
LONGEST = 4096
"""Bytes of one value; it travels in the arguments of a process and in an object of Kubernetes."""
MODEL = "model"
"""The parameter that is always the declared model's own name."""
_WANTED: Mapping[Kind, str] = {
    "str": "text",
    "int": "a whole number",
    "float": "a finite number",
    "bool": "true or false",
}
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class BuiltInParameter(NamedTuple):
    """A parameter; the type of its default is that of every value."""

    name: str
    default: Value
    help: str


def kind_of(default: Value) -> Kind:
    """The type of a parameter, by its default."""
    kinds: dict[type, Kind] = {str: "str", int: "int", float: "float", bool: "bool"}
    return kinds[type(default)]


def converted(kind: Kind, text: str) -> Value:
    """A text in the type of its parameter.

    Raises:
        ValueError: it is not of that type, not finite, too long, or not a text for a process.
    """
    if "\0" in text:
        raise ValueError("has a NUL, which no process can be given")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise ValueError("has half a surrogate pair, which is not a text") from error
    if size > LONGEST:
        raise ValueError(f"is longer than {LONGEST} bytes")
    try:
        return _converted(kind, text)
    except ValueError as error:
        raise ValueError(f"wants {_WANTED[kind]}, not '{printable(text[:60])}'") from error


def _converted(kind: Kind, text: str) -> Value:
    match kind:
        case "int":
            # KFP hands every number over as a float
            return int(text.removesuffix(".0"))
        case "float":
            number = float(text)
            if not math.isfinite(number):
                raise ValueError(text)
            return number
        case "bool":
            if text.lower() not in (*_TRUE, *_FALSE):
                raise ValueError(text)
            return text.lower() in _TRUE
        case "str":
            return text


def _parameters(data: str, model: str, metric: str) -> tuple[BuiltInParameter, ...]:
    of = BuiltInParameter
    return (
        of("data", data, "sklearn://NAME, s3://BUCKET/KEY, feast://VIEW or a file"),
        of("target", "target", "the column to predict"),
        of("schema", "", "URL of the schema that the data must match (default: the data's)"),
        of("test_size", 0.3, "share of the rows used for the evaluation"),
        of("seed", 7, "random seed"),
        of("algorithm", "linear", ", ".join(ALGORITHMS)),
        of("hyperparameters", "{}", "JSON object of hyperparameters"),
        of(MODEL, model, "name in the registry"),
        of("experiment", "", "experiment of the tracking server (default: the model's name)"),
        of("promote", True, "make the new version champion if it is better"),
        of("metric", metric, "deciding metric of the promotion"),
        of("min_improvement", 0.0, "minimum improvement"),
        of("shadow_seconds", 60.0, "duration of the shadow stage, seconds"),
        of("canary", "10,50", "percentages of the traffic, one per canary stage"),
        of("canary_seconds", 60.0, "duration of each canary stage, seconds"),
    )


PARAMETERS: Mapping[str, tuple[BuiltInParameter, ...]] = {
    "tabular-classification": _parameters("sklearn://wine", "wine", "accuracy"),
    "tabular-regression": _parameters("sklearn://diabetes", "diabetes", "r2"),
}
"""Built-in pipelines by name."""
