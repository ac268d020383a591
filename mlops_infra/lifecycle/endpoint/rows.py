"""Reads the rows of a request: JSON, JSON lines, CSV, or the Open Inference Protocol."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.gateway.core.checking import Refused, check, parsed
from mlops_infra.lifecycle.gateway.core.fields import Field, Refusal
from mlops_infra.lifecycle.gateway.core.form import flat

if TYPE_CHECKING:
    import pandas as pd

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
TYPES = (JSON, LINES, CSV)
_DATATYPES = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
}
"""MLflow's type to the protocol's; anything else is text."""
_DTYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
}
_WORDS = {"true": True, "false": False}
Row = Mapping[str, Any]


def table(content_type: str, body: bytes, fields: Sequence[Field]) -> pd.DataFrame:
    """The rows as the model wants them, held against its fields.

    Args:
        content_type: one of `TYPES`.
        body: of the request.
        fields: of the model; empty: rows pass as they are.

    Raises:
        Refused: with every field that is wrong.
    """
    tensors = _protocol(body) if content_type == JSON else None
    protocol = tensors is not None
    if tensors is None:
        rows = _READERS[content_type](body, fields)
        tensors = _tensors(rows, fields)
    if protocol or fields:  # without both, nothing tells what the columns are
        check({"inputs": tensors}, fields)
    return _frame({each["name"]: flat(each["data"]) for each in tensors}, fields)


def _protocol(body: bytes) -> list[Any] | None:
    """Inputs of the Open Inference Protocol, where the request is one."""
    read = _any_json(body)
    inputs = read.get("inputs") if isinstance(read, dict) else None
    speaks = isinstance(inputs, list) and any(isinstance(i, dict) and "data" in i for i in inputs)
    return inputs if speaks else None


def _any_json(body: bytes) -> Any:
    # `parsed` takes objects alone, and is strict about numbers; a list becomes an object's value
    return parsed(b'{"instances":' + body + b"}")["instances"] if body[:1] == b"[" else parsed(body)


def _of_json(body: bytes, fields: Sequence[Field]) -> list[Row]:
    read = _any_json(body.strip())
    rows = read.get("instances", [read]) if isinstance(read, dict) else read
    return _named(rows, fields)


def _of_lines(body: bytes, fields: Sequence[Field]) -> list[Row]:
    return _named([_any_json(line.strip()) for line in body.splitlines() if line.strip()], fields)


def _named(rows: Any, fields: Sequence[Field]) -> list[Row]:
    if not isinstance(rows, list) or not rows:
        raise Refused([Refusal("request", 'rows are missing: {"instances": [row, …]}')])
    if not any(isinstance(row, (list, dict)) for row in rows):
        rows = [rows]  # one row, without a list around it
    found: list[Row] = []
    for number, row in enumerate(rows):
        if isinstance(row, dict):
            found.append(row)
        elif isinstance(row, list):
            found.append(_by_place(row, fields, number))
        else:
            raise Refused([Refusal("request", "a row is an object or a list", row, number)])
    return found


def _of_csv(body: bytes, fields: Sequence[Field]) -> list[Row]:
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig"))) if line]
    except (csv.Error, UnicodeDecodeError) as error:
        raise Refused([Refusal("request", f"not valid CSV: {error}")]) from error
    names = [field.name for field in fields]
    # batch transform cuts files into pieces: only the first one can have the heading
    headed = bool(lines) and (not names or {name.strip() for name in lines[0]} == set(names))
    heading = [name.strip() for name in lines.pop(0)] if headed else names
    if not lines:
        raise Refused([Refusal("request", "there are no rows")])
    kinds = {field.name: field.kind for field in fields}
    found: list[Row] = []
    for number, line in enumerate(lines):
        row = _by_place(line, heading, number)
        found.append({name: _cell(text, kinds.get(name, "")) for name, text in row.items()})
    return found


def _by_place(values: list[Any], names: Sequence[Field | str], number: int) -> dict[str, Any]:
    plain = [each if isinstance(each, str) else each.name for each in names]
    if len(values) != len(plain):
        wanted = f"{len(plain)}: {', '.join(plain[:10])}" if plain else "column names with values"
        told = f"it has {len(values)} values, the model needs {wanted}"
        raise Refused([Refusal("request", told, len(values), number)])
    return dict(zip(plain, values, strict=True))


def _cell(text: str, kind: str) -> Any:
    """A cell as its column's type; as it stands where it is none, for the check to tell."""
    bare = text.strip()
    if not bare:
        return None
    if kind == "boolean":
        return _WORDS.get(bare.lower(), text)
    if kind in ("string", "binary", "datetime"):
        return text
    readers: tuple[Callable[[str], float], ...] = (
        (int,) if kind in ("integer", "long") else (int, float)
    )
    for reader in readers:
        try:
            return reader(bare)
        except ValueError:
            continue
    return text


def _tensors(rows: Sequence[Row], fields: Sequence[Field]) -> list[dict[str, Any]]:
    """The rows by column, as the check wants them."""
    kinds = {field.name: field.kind for field in fields}
    names = list(dict.fromkeys([*(n for n in kinds), *(str(n) for row in rows for n in row)]))
    given = [name for name in names if any(name in row for row in rows)]
    return [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": _DATATYPES.get(kinds.get(name, ""), "BYTES"),
            "data": [row.get(name) for row in rows],
        }
        for name in given
    ]


def _frame(columns: Mapping[str, list[Any]], fields: Sequence[Field]) -> pd.DataFrame:
    import pandas as pd

    if not fields:
        return pd.DataFrame(dict(columns))
    rows = len(next(iter(columns.values())))
    made = {}
    for field in fields:
        values = columns.get(field.name, [None] * rows)
        if field.kind == "datetime":
            made[field.name] = pd.to_datetime(pd.Series(values), errors="coerce")
            continue
        dtype = _DTYPES.get(field.kind)
        if None in values and dtype is not None:
            dtype = "float64"  # as MLflow itself wants numbers that may be missing
        made[field.name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(made)


_READERS: Mapping[str, Callable[[bytes, Sequence[Field]], list[Row]]] = {
    JSON: _of_json,
    LINES: _of_lines,
    CSV: _of_csv,
}


def written(accept: str, answers: Sequence[Any]) -> bytes:
    """The answers as the client asked for: an object, or one line for each row."""
    if accept == JSON:
        return json.dumps({"predictions": list(answers)}).encode()
    if accept == LINES:
        return "".join(json.dumps({"prediction": each}) + "\n" for each in answers).encode()
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerows(each if isinstance(each, list) else [each] for each in answers)
    return made.getvalue().encode()
