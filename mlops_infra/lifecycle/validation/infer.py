"""Infers the rules of a table from a reference that is known to be good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.validation.schema import ColumnSchema, Kind, TableSchema

if TYPE_CHECKING:
    import pandas as pd

MAX_CATEGORIES = 50
"""A text column with more different values is free text."""
MAX_CATEGORY_SHARE = 0.2
"""Of the rows: above it, values do not repeat enough to be categories."""
RANGE_SLACK = 0.25
"""Of the span seen, added on both sides: the reference is a sample, not the world."""
NULL_SLACK = 0.05
"""Added to the share of nulls seen, where there were any."""


def infer(
    table: pd.DataFrame,
    *,
    key: tuple[str, ...] = (),
    reference: str | None = None,
    slack: float = RANGE_SLACK,
) -> TableSchema:
    """The rules that `table` keeps.

    Args:
        table: the reference.
        key: columns that name a row.
        reference: fingerprint of the data, kept in the schema.
        slack: how far beyond the range seen a number may lie, as a share of the span.

    Raises:
        InputError: the table is empty, or `key` does not name its rows.
    """
    if table.empty:
        raise InputError("a schema cannot be inferred from a table without rows")
    absent = [name for name in key if name not in table.columns]
    if absent or (key and bool(table.duplicated(list(key)).any())):
        raise InputError(
            f"the columns {', '.join(key)} do not identify the rows of the reference",
            hint="use columns that exist and identify rows",
        )
    columns = tuple(_column(table[name], slack) for name in table.columns)
    return TableSchema(columns=columns, unique_together=key, reference=reference)


def kind_of(column: pd.Series) -> Kind:
    """The kind of a column of pandas; nulls do not count."""
    from pandas.api import types

    if types.is_bool_dtype(column):
        return "boolean"
    if types.is_integer_dtype(column):
        return "integer"
    if types.is_numeric_dtype(column):
        return "number"
    if types.is_datetime64_any_dtype(column):
        return "timestamp"
    held = column.dropna()
    if len(held) and all(isinstance(value, bool) for value in held):
        return "boolean"  # nulls make pandas give up on booleans
    return "string"


def _column(column: pd.Series, slack: float) -> ColumnSchema:
    kind = kind_of(column)
    nulls = float(column.isna().mean())
    held = column.dropna()
    low = high = None
    if kind in ("integer", "number") and len(held):
        low, high = _range(held, slack)
    return ColumnSchema(
        name=str(column.name),
        kind=kind,
        minimum=low,
        maximum=high,
        max_null_share=min(1.0, nulls + NULL_SLACK) if nulls else 0.0,
        categories=_categories(held) if kind == "string" else None,
    )


def _range(held: pd.Series, slack: float) -> tuple[float, float]:
    low, high = float(held.min()), float(held.max())
    room = (high - low) * slack
    # what was never negative (a count, a weight) does not become so by slack
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def _categories(held: pd.Series) -> tuple[str, ...] | None:
    values = sorted({str(value) for value in held})
    repeats = len(values) <= max(2.0, len(held) * MAX_CATEGORY_SHARE)
    return tuple(values) if values and len(values) <= MAX_CATEGORIES and repeats else None
