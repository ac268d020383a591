"""What steps hand over, as bytes that mean the same on every machine. No pickle anywhere."""

from __future__ import annotations

import io
import json
import math
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data.table import from_parquet, to_parquet
from mlops_infra.lifecycle.pipeline.definition.model import Content
from mlops_infra.lifecycle.pipeline.steps.archive import unpacked

TRUSTED_MODULES = ("sklearn.", "numpy.", "scipy.", "collections.", "functools.", "builtins.")
"""Where types in a model may come from; skops asks for consent beyond the types that it knows."""


def dump(content: Content, value: Any, where: str) -> bytes:
    """The bytes of `value`; `where` is the output that it belongs to.

    Raises:
        InputError: the value is not what the step promised to return.
    """
    try:
        return _dump(content, value)
    except InputError as error:
        error.where = error.where or where
        raise


def _dump(content: Content, value: Any) -> bytes:
    match content:
        case "table":
            return to_parquet(_table(value))
        case "array":
            return _array(value)
        case "model":
            return _model(value)
        case "metrics":
            return _json(_metrics(value))
        case "json":
            return _json(value)
        case "bytes":
            if not isinstance(value, bytes):
                raise _wrong("bytes", value)
            return value


def load(content: Content, body: bytes, where: str) -> Any:
    """The value that `dump` was given.

    Raises:
        InputError: the bytes hold something else.
    """
    match content:
        case "table":
            return from_parquet(body, where)
        case "array":
            import numpy as np

            try:
                return np.load(io.BytesIO(body), allow_pickle=False)
            except (ValueError, EOFError) as error:
                raise InputError(f"not an array: {error}", where=where) from error
        case "model":
            return _load_model(body, where)
        case "json" | "metrics":
            try:
                return json.loads(body)
            except ValueError as error:
                raise InputError(f"not valid JSON: {error}", where=where) from error
        case "bytes":
            return body


def trusted_types(body: bytes, where: str) -> list[str]:
    """Types in a saved model that skops does not know by itself and this kit trusts.

    Raises:
        InputError: it holds a type from elsewhere, which loading would have to run.
    """
    import zipfile

    from skops.io import get_untrusted_types

    try:
        asked = get_untrusted_types(data=body)
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"not a model: {error}", where=where) from error
    foreign = sorted(name for name in asked if not name.startswith(TRUSTED_MODULES))
    if foreign:
        raise InputError(
            f"the model has untrusted types: {', '.join(foreign[:5])}",
            where=where,
            hint=f"models are made of {', '.join(m[:-1] for m in TRUSTED_MODULES[:3])}",
        )
    return list(asked)


def _load_model(body: bytes, where: str) -> Any:
    from skops.io import loads

    body = unpacked(body, where)
    return loads(body, trusted=trusted_types(body, where))


def _model(value: Any) -> bytes:
    from skops.io import dumps

    if not hasattr(value, "predict") and not hasattr(value, "transform"):
        raise _wrong("a scikit-learn estimator", value)
    body: bytes = dumps(value)
    trusted_types(body, type(value).__name__)
    return body


def _array(value: Any) -> bytes:
    import numpy as np

    body = io.BytesIO()
    try:
        np.save(body, np.asarray(value), allow_pickle=False)
    except ValueError as error:
        raise _wrong("an array of numbers or texts", value) from error
    return body.getvalue()


def _table(value: Any) -> Any:
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        raise _wrong("a pandas.DataFrame", value)
    if len({str(column) for column in value.columns}) != len(value.columns):
        raise InputError("two columns of the table have the same name")
    return value.rename(columns=str)


def _metrics(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or not value:
        raise _wrong("metrics: a dict of numbers by name", value)
    numbers = {str(name): float(number) for name, number in value.items()}
    broken = sorted(name for name, number in numbers.items() if not math.isfinite(number))
    if broken:
        raise InputError(f"metric '{broken[0]}' is {numbers[broken[0]]}")
    return numbers


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"the value has no JSON form: {error}") from error


def _wrong(wanted: str, value: Any) -> InputError:
    kind = type(value)
    return InputError(f"wanted {wanted}, got {kind.__module__}.{kind.__qualname__}")
