"""What `check` holds the parameters of a declared model against."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from mlops_infra.config.language.explain import nearest
from mlops_infra.config.language.invalid import InvalidValueError
from mlops_infra.parameters import ALGORITHMS, METRICS, MODEL, PARAMETERS, Value, converted, kind_of


def check_parameter(pipeline: str, name: str, text: str) -> None:
    """Check one value of a declared model.

    Raises:
        InvalidValueError: the pipeline has no such parameter, or a training would refuse the value.
    """
    parameters = {each.name: each for each in PARAMETERS[pipeline]}
    if name == MODEL:
        message = "is always the name of the declared model"
        raise InvalidValueError(message, "remove it, or rename the model")
    if name not in parameters:
        close = nearest(name, parameters)
        known = f"it has: {', '.join(each for each in parameters if each != MODEL)}"
        raise InvalidValueError(
            f"pipeline '{pipeline}' has no parameter '{name}'",
            f"did you mean '{close}'?" if close else known,
        )
    try:
        value = converted(kind_of(parameters[name].default), text)
    except ValueError as error:
        raise InvalidValueError(str(error), parameters[name].help) from error
    judge = _JUDGES.get(name)
    if judge is not None:
        judge(value, pipeline)


def _test_size(value: Value, _pipeline: str) -> None:
    if not 0 < float(value) < 1:
        raise InvalidValueError(f"{value} is not a share", "between 0 and 1")


def _algorithm(value: Value, _pipeline: str) -> None:
    if value not in ALGORITHMS:
        raise InvalidValueError(f"no such algorithm: '{value}'", f"one of {', '.join(ALGORITHMS)}")


def _metric(value: Value, pipeline: str) -> None:
    known = METRICS[pipeline.removeprefix("tabular-")]
    if value not in known:
        message = f"'{pipeline}' does not measure '{value}'"
        raise InvalidValueError(message, f"one of {', '.join(known)}")


def _hyperparameters(value: Value, _pipeline: str) -> None:
    try:
        read = json.loads(str(value) or "{}")
    except ValueError as error:
        raise InvalidValueError(f"is not valid JSON: {error}", '{"alpha": 0.5}') from error
    if not isinstance(read, dict):
        raise InvalidValueError("is not a JSON object", '{"alpha": 0.5}')


def _canary(value: Value, _pipeline: str) -> None:
    words = [word.strip() for word in str(value).split(",") if word.strip()]
    shares = [int(word) if word.isascii() and word.isdigit() else 0 for word in words]
    if shares != sorted(set(shares)) or any(not 0 < share <= 100 for share in shares):
        message = f"'{value}' is not a list of increasing percentages"
        raise InvalidValueError(message, "for example 10,50")


def _seconds(value: Value, _pipeline: str) -> None:
    if float(value) < 0:
        raise InvalidValueError(f"{value} seconds are less than none", "0 or more")


_JUDGES: Mapping[str, Callable[[Value, str], None]] = {
    "test_size": _test_size,
    "algorithm": _algorithm,
    "metric": _metric,
    "hyperparameters": _hyperparameters,
    "canary": _canary,
    "shadow_seconds": _seconds,
    "canary_seconds": _seconds,
}
