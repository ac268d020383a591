"""Loads the table that a name tells: a packaged data set, an object, a feature view or a file.

| name | table |
|---|---|
| `sklearn://wine`, iris, breast_cancer, digits, diabetes | scikit-learn's; column `target` |
| `s3://bucket/key.csv`, `s3://bucket/key.parquet` | one object |
| `feast://view` | the history of a feature view, see `feature_history` |
| `folder/file.csv`, `folder/file.parquet` | a local file |
| `folder/` | all such files below a local folder; `name=value` in its path is a column |
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import folders, storage
from mlops_infra.lifecycle.data.csv_table import noted
from mlops_infra.lifecycle.data.parquet import from_parquet
from mlops_infra.lifecycle.data.table import Table
from mlops_infra.lifecycle.services.environment import Environment

if TYPE_CHECKING:
    import pandas as pd

PACKAGED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def load(
    name: str, around: Environment, *, target: str | None = None, texts: Collection[str] = ()
) -> Table:
    """Load a table and check that it can be worked with.

    Args:
        name: as above.
        around: the platform.
        target: a column that it must have.
        texts: columns of a CSV file that hold texts, whatever they look like.

    Raises:
        InputError: no such data, not a table, empty, or without the column `target`.
        OperationFailed: the service that holds it does not answer.
    """
    frame, notes = _frame(name, around, texts)
    if frame.empty:
        raise InputError("the table has no rows", where=name)
    names = [str(column) for column in frame.columns]
    if target is not None and target not in names:
        raise InputError(
            f"the table has no column '{target}'", where=name, hint=f"it has: {', '.join(names)}"
        )
    frame.columns = names
    return Table(name=name, frame=frame, target=target, notes=notes)


def _frame(
    name: str, around: Environment, texts: Collection[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    scheme, separator, rest = name.partition("://")
    if not separator or scheme == "s3":
        return _file(name, around, texts)
    if scheme == "sklearn":
        return _packaged(rest), ()
    if scheme == "feast":
        from mlops_infra.lifecycle.data.feature_history import history

        return history(rest, around), ()
    raise InputError(
        f"'{name}' is not a data source",
        hint="use sklearn://, s3://, feast:// or the path of a .csv or .parquet file",
    )


def _file(
    name: str, around: Environment, texts: Collection[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if name.endswith("/"):
        return folders.load(name)
    kind = PurePosixPath(name).suffix.lower()
    if kind == ".csv":
        return noted(storage.read(name, around), name, texts=texts)
    if kind == ".parquet":
        return from_parquet(storage.read(name, around), name), ()
    raise InputError("only .csv and .parquet can be read", where=name)


def _packaged(name: str) -> pd.DataFrame:
    if name not in PACKAGED:
        raise InputError(
            f"scikit-learn has no data set '{name}'", hint=f"it has: {', '.join(PACKAGED)}"
        )
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")(as_frame=True)
    frame: pd.DataFrame = bunch.frame
    return frame
