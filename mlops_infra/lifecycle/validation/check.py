"""Holds a table against a schema; every broken rule is told, with rows and examples."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.validation.findings import Finding, Report, Rule
from mlops_infra.lifecycle.validation.infer import kind_of
from mlops_infra.lifecycle.validation.schema import ColumnSchema, TableSchema

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 3
"""Offending values that a finding shows."""
_LONGEST = 60
"""Letters of one example."""


def check(
    table: pd.DataFrame, schema: TableSchema, *, now: datetime.datetime | None = None
) -> Report:
    """Every rule of `schema` that `table` breaks; `now` is the time that freshness is told by."""
    table = table.reset_index(drop=True)  # examples name rows by their place in the table
    found = [*_columns(table, schema), *_rows(table, schema)]
    for column in schema.columns:
        if column.name in table.columns:
            found += _column(table[column.name], column)
    found += _together(table, schema)
    found += _fresh(table, schema, now or datetime.datetime.now(datetime.UTC))
    return Report("builtin", len(table), len(table.columns), tuple(found))


def _columns(table: pd.DataFrame, schema: TableSchema) -> Iterator[Finding]:
    for column in schema.columns:
        if column.required and column.name not in table.columns:
            yield Finding("missing-column", column.name, 0, "the column is missing")
    if schema.other_columns == "refuse":
        for name in table.columns:
            if schema.column(str(name)) is None:
                yield Finding("unknown-column", str(name), 0, "the schema has no such column")


def _rows(table: pd.DataFrame, schema: TableSchema) -> Iterator[Finding]:
    count = len(table)
    if count < schema.min_rows:
        message = f"{count} rows, at least {schema.min_rows} are required"
        yield Finding("rows", None, 0, message)
    if schema.max_rows is not None and count > schema.max_rows:
        yield Finding("rows", None, 0, f"{count} rows, at most {schema.max_rows} are allowed")


def _column(column: pd.Series, rules: ColumnSchema) -> Iterator[Finding]:
    nulls = column.isna()
    if len(column) and float(nulls.mean()) > rules.max_null_share:
        allowed = f"{rules.max_null_share:.0%}" if rules.max_null_share else "none"
        yield Finding("null", rules.name, int(nulls.sum()), f"nulls, allowed: {allowed}")
    held = column[~nulls]
    wrong = _wrong_type(held, rules)
    if wrong.any():
        yield _finding("type", held, wrong, f"not {_article(rules.kind)}")
        held = held[~wrong]
    yield from _range(held, rules)
    if rules.categories is not None:
        unknown = ~held.astype(str).isin(rules.categories)
        if unknown.any():
            yield _finding("category", held, unknown, "not one of the known values")
    if rules.unique and held.duplicated(keep=False).any():
        yield _finding("unique", held, held.duplicated(keep=False), "values that are not unique")


def _wrong_type(held: pd.Series, rules: ColumnSchema) -> pd.Series:
    """Which values are not of the column's kind; the column's own type decides where it can."""
    import pandas as pd

    found = kind_of(held)
    fits = {("number", "integer"), (rules.kind, rules.kind)}
    if (rules.kind, found) in fits:
        return pd.Series(data=False, index=held.index)
    if rules.kind == "integer" and found == "number":
        # a null turns a column of integers into floats, so whole numbers count
        return held.map(lambda value: float(value) != int(value) if _finite(value) else True)
    if found == "string":
        return held.map(lambda value: not _is(value, rules))
    return pd.Series(data=True, index=held.index)


def _finite(value: Any) -> bool:
    return bool(abs(float(value)) < float("inf"))


def _is(value: Any, rules: ColumnSchema) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match rules.kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return number
        case "integer":
            return number and _finite(value) and float(value).is_integer()
        case _:
            return isinstance(value, (datetime.datetime, datetime.date))


def _range(held: pd.Series, rules: ColumnSchema) -> Iterator[Finding]:
    if rules.kind not in ("integer", "number") or held.empty:
        return
    numbers = held.astype(float)
    outside = numbers.isna()
    if rules.minimum is not None:
        outside |= numbers < rules.minimum
    if rules.maximum is not None:
        outside |= numbers > rules.maximum
    if outside.any():
        low = "-inf" if rules.minimum is None else f"{rules.minimum:g}"
        high = "inf" if rules.maximum is None else f"{rules.maximum:g}"
        yield _finding("range", held, outside, f"outside {low} to {high}")


def _together(table: pd.DataFrame, schema: TableSchema) -> Iterator[Finding]:
    key = [name for name in schema.unique_together if name in table.columns]
    if not key or len(key) != len(schema.unique_together):
        return
    double = table.duplicated(key, keep=False)
    if double.any():
        rows = table.loc[double, key].astype(str).agg("/".join, axis=1)
        examples = tuple(dict.fromkeys(rows))[:EXAMPLES]
        message = f"rows that share {', '.join(key)}"
        yield Finding("unique", None, int(double.sum()), message, examples)


def _fresh(table: pd.DataFrame, schema: TableSchema, now: datetime.datetime) -> Iterator[Finding]:
    import pandas as pd

    name = schema.fresh_column
    if name is None or schema.max_age_seconds is None or name not in table.columns:
        return
    times = pd.to_datetime(table[name], utc=True, errors="coerce")
    newest = times.max()
    if pd.isna(newest):
        yield Finding("freshness", name, 0, "has no valid time")
        return
    age = (now - newest.to_pydatetime()).total_seconds()
    if age > schema.max_age_seconds:
        message = f"newest is {newest.isoformat()}, {age / 3600:.1f} hours old; "
        message += f"{schema.max_age_seconds / 3600:.1f} are allowed"
        yield Finding("freshness", name, 0, message)


def _finding(rule: Rule, column: pd.Series, which: pd.Series, message: str) -> Finding:
    bad = column[which]
    # the row's position, not pandas' label: people count rows in the file
    examples = tuple(
        f"{_short(value)} (row {index})" for index, value in bad.head(EXAMPLES).items()
    )
    return Finding(rule, str(column.name), len(bad), message, examples)


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "integer" else f"a {kind}"
