"""What steps hand over, as bytes that mean the same on every machine. No pickle anywhere."""

from __future__ import annotations

import io
import json
import math
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data.parquet import from_parquet, to_parquet
from mlops_infra.lifecycle.pipeline.definition.model import Content
from mlops_infra.lifecycle.pipeline.steps.archive import unpacked
from mlops_infra.lifecycle.registry.metric_names import check_name
from mlops_infra.naming import printable

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
        error.where = f"{where}: {error.where}" if error.where else where
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

    if isinstance(value, np.ma.MaskedArray):
        raise InputError("a masked array loses its mask", hint="fill it: array.filled(...)")
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
    return value


def _metrics(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or not value:
        raise _wrong("metrics: a dict of numbers by name", value)
    numbers: dict[str, float] = {}
    for given, number in value.items():
        name = str(given)
        if name in numbers:
            raise InputError(f"two metrics are called '{printable(name)}'")
        check_name(name)
        numbers[name] = _number(name, number)
    return numbers


def _number(name: str, value: Any) -> float:
    shown = f"{printable(repr(value)[:60])} ({type(value).__name__})"
    wrong = InputError(
        f"metric '{printable(name)}' is {shown}, not a number",
        hint="return a dict of numbers by name, for example {'accuracy': 0.9}",
    )
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise wrong
    try:
        number = float(value)
    except OverflowError as error:
        raise InputError(f"metric '{printable(name)}' is too large: {shown}") from error
    except (TypeError, ValueError) as error:
        raise wrong from error
    if not math.isfinite(number):
        raise InputError(f"metric '{printable(name)}' is {number}")
    return number


def _json(value: Any) -> bytes:
    plain = _plain(value, "")
    try:
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the value has no JSON form: {error}") from error


def _plain(value: Any, place: str) -> Any:
    """The value as JSON's own types; a key that JSON would make a text of is refused."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InputError(
                    f"{place or 'the value'} has the key {key!r} ({type(key).__name__}), "
                    "which would come back as a text",
                    hint="write str(...) around the keys",
                )
        return {key: _plain(each, f"{place}[{key!r}]") for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{place}[{number}]") for number, each in enumerate(value)]
    if value is None or isinstance(value, (str, int, float, bool)):
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{place or 'the value'} is {value}, which JSON cannot hold")
        return value
    if hasattr(value, "dtype") and getattr(value, "shape", None) == ():
        return _plain(value.item(), place)  # a number of NumPy
    kind = type(value)
    raise InputError(
        f"{place or 'the value'} is a {kind.__module__}.{kind.__qualname__}, "
        "which JSON cannot hold",
        hint="return texts, numbers, lists and dicts of them",
    )


def _wrong(wanted: str, value: Any) -> InputError:
    kind = type(value)
    return InputError(f"wanted {wanted}, got {kind.__module__}.{kind.__qualname__}")
