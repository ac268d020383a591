"""Compares two tables column by column with Evidently; nothing leaves the process."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FEW_ROWS = 1000
"""Up to it tests of significance are fair; above it they call every trifle drift, so distances."""
SIGNIFICANCE = 0.05
"""Below this p-value a column of few rows has drifted: Evidently's own default."""
DISTANCE = 0.1
"""From this distance on (Wasserstein by the deviation, Jensen-Shannon) a column of many has."""
MANY_VALUES = 20
"""Whole numbers with fewer different values are treated as categories."""


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """The drift of one column."""

    name: str
    method: str
    score: float
    threshold: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """The drift of a table."""

    columns: tuple[ColumnDrift, ...]
    html: bytes
    """A page with pictures, complete in itself."""

    @property
    def share(self) -> float:
        """Share of the columns that have drifted, 0 to 1."""
        return sum(column.drifted for column in self.columns) / len(self.columns)


def compare(
    current: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    few: bool | None = None,
    limit: float | None = None,
) -> Comparison:
    """Compare the columns that both tables have.

    Args:
        current: what was asked.
        reference: what was learnt from.
        few: judge by significance; by the number of rows where None.
        limit: `SIGNIFICANCE` or `DISTANCE` where None.

    Raises:
        InputError: they share no column that has values.
    """
    shared = [
        name
        for name in reference.columns
        if name in current.columns and current[name].notna().any() and reference[name].notna().any()
    ]
    if not shared:
        raise InputError(
            "the logged requests and the reference share no column",
            where=f"requests: {', '.join(map(str, current.columns)) or 'none'}",
            hint=f"reference: {', '.join(map(str, reference.columns))}",
        )
    if few is None:
        few = min(len(current), len(reference)) <= FEW_ROWS
    if limit is None:
        limit = SIGNIFICANCE if few else DISTANCE
    with warnings.catch_warnings():
        # Evidently and what it imports warn of their own code: nothing to act on here.
        warnings.simplefilter("ignore")
        snapshot = _run(current[shared], reference[shared], few=few, limit=limit)
        columns = tuple(_columns(snapshot.dict(), few=few))
        return Comparison(columns, _html(snapshot))


def _run(current: pd.DataFrame, reference: pd.DataFrame, *, few: bool, limit: float) -> Any:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    numbers = [name for name in reference.columns if _is_number(reference[name])]
    words = [name for name in reference.columns if name not in numbers]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
    methods = (
        {"num_method": "ks", "cat_method": "chisquare"}
        if few
        else {"num_method": "wasserstein", "cat_method": "jensenshannon"}
    )
    preset = DataDriftPreset(num_threshold=limit, cat_threshold=limit, **methods)
    return Report([preset]).run(
        *(
            Dataset.from_pandas(_prepared(table, words), data_definition=definition)
            for table in (current, reference)
        )
    )


def _prepared(table: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    # categories as text: a request's 1 and the reference's 1.0 are one category
    return table.assign(**{name: table[name].map(_word) for name in words})


def _word(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if value is None or value != value else str(value)  # only NaN differs from itself


def _is_number(column: pd.Series) -> bool:
    from pandas.api import types

    if types.is_bool_dtype(column) or not types.is_numeric_dtype(column):
        return False
    whole = bool((column.dropna() % 1 == 0).all())
    return not whole or column.nunique() > MANY_VALUES


def _columns(report: dict[str, Any], *, few: bool) -> list[ColumnDrift]:
    found = []
    for metric in report["metrics"]:
        config = metric["config"]
        if not str(config["type"]).endswith(":ValueDrift"):
            continue
        score, threshold = float(metric["value"]), float(config["threshold"])
        # a p-value is small where there is drift, a distance is large
        drifted = score < threshold if few else score >= threshold
        found.append(
            ColumnDrift(config["column"], str(config["method"]), score, threshold, drifted)
        )
    return found


def _html(snapshot: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        snapshot.save_html(str(path))
        return path.read_bytes()
