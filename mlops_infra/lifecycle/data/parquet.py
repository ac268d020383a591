"""Tables as Parquet files: what `to_parquet` takes, `from_parquet` gives back unchanged.

Parquet alone would lose some of a DataFrame: texts beside numbers in one column, lists, columns of
Python's own integers. What it cannot hold is refused with the column and the row; what it holds
under another type is noted in the file and restored.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError, MissingError

if TYPE_CHECKING:
    import pandas as pd

COMPRESSION = "zstd"
NOTES = b"mlops-infra"
"""Key of the file's metadata: JSON, what Parquet itself does not say of the columns."""
SAMPLE = 64
"""Rows that are read back before a table counts as kept."""


def to_parquet(frame: pd.DataFrame) -> bytes:
    """The table as one Parquet file, with its index and the types of its columns.

    Raises:
        InputError: a column, the index or the names of the columns would not come back as they are.
    """
    _need_arrow()
    _check_names(frame)
    notes = _Notes()
    for number, column in enumerate(_columns(frame)):
        if _kind_of(column) not in _BY_ITSELF:
            notes.objects.append(number)
    sample = frame.head(SAMPLE)
    back = from_parquet(_written(sample, notes), "a sample")
    _require_same_index("columns", sample.columns, back.columns)
    _require_same_index("index", sample.index, back.index)
    for number, (old, new) in enumerate(zip(_columns(sample), _columns(back), strict=True)):
        if old.dtype != new.dtype:
            notes.dtypes[number] = _restored(old, new)
    return _written(frame, notes)


def from_parquet(body: bytes, where: str) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        InputError: it is none.
    """
    _need_arrow()
    import pandas as pd
    import pyarrow.parquet as pq
    from pyarrow.lib import ArrowException

    try:
        table = pq.read_table(io.BytesIO(body))
        notes = _Notes(**json.loads((table.schema.metadata or {}).get(NOTES, b"{}")))
        frame: pd.DataFrame = table.to_pandas()
        for number in notes.objects:
            cells = pd.Series(table.column(number).to_pylist(), frame.index, dtype=object)
            frame.isetitem(number, cells)
        for number, dtype in notes.dtypes.items():
            frame.isetitem(int(number), frame.iloc[:, int(number)].astype(dtype))
    except (ArrowException, ValueError, TypeError, OSError) as error:
        raise InputError(f"not a Parquet file: {error}", where=where) from error
    return frame


@dataclass(frozen=True, slots=True)
class _Notes:
    """What Parquet does not say of the columns, by their numbers."""

    objects: list[int] = field(default_factory=list)
    """Columns of Python's own values, lists among them."""
    dtypes: dict[int, str] = field(default_factory=dict)
    """Columns that come back with another type, and the type that they had."""


def _written(frame: pd.DataFrame, notes: _Notes) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pa.Table.from_pandas(frame)
        known = {**(table.schema.metadata or {}), NOTES: json.dumps(asdict(notes)).encode()}
        body = io.BytesIO()
        pq.write_table(table.replace_schema_metadata(known), body, compression=COMPRESSION)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise _refusal(frame, error) from error
    return body.getvalue()


def _refusal(frame: pd.DataFrame, error: Exception) -> InputError:
    """The error with the column that it is about."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for column in _columns(frame):
        try:
            table = pa.Table.from_pandas(column.to_frame("column"), preserve_index=False)
            pq.write_table(table, io.BytesIO())
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as own:
            return InputError(
                f"column '{column.name}' of the table ({column.dtype}) cannot be kept: {own}",
                hint="convert it to numbers, texts or times",
            )
    return InputError(
        f"the index of the table ({_described(frame.index)}) cannot be kept: {error}",
        hint="table.reset_index() makes a column of it",
    )


def _columns(frame: pd.DataFrame) -> Iterator[pd.Series]:
    return (frame.iloc[:, number] for number in range(len(frame.columns)))


def _kind_of(column: pd.Series) -> str | None:
    """What the cells of a column of objects are; None where Parquet knows by itself.

    Raises:
        InputError: they are of several kinds, or of one that Parquet does not give back.
    """
    from pandas.api.types import infer_dtype

    if column.dtype != object:
        return None
    if infer_dtype(column, skipna=True) == "string":
        return "str"  # most columns are, and this is quick
    seen: dict[str, int] = {}
    for row, cell in enumerate(column):
        kind = _cell(cell)
        if kind is not None:
            seen.setdefault(kind, row)
    if len(seen) > 1:
        told = " and ".join(f"{kind} (row {row})" for kind, row in list(seen.items())[:3])
        raise InputError(
            f"column '{column.name}' of the table has {told}",
            hint="convert it to one type, for example "
            f"table[{column.name!r}] = table[{column.name!r}].astype(str)",
        )
    kind, row = next(iter(seen.items()), (None, 0))
    if kind is not None and kind not in _KEPT:
        raise InputError(
            f"column '{column.name}' of the table has {kind} (row {row}), "
            "which would come back as something else",
            hint="convert it to lists, numbers, texts or times; json.dumps makes texts",
        )
    return kind


_BY_ITSELF = (None, "str", "ndarray")
"""Kinds of cells that come back as they are, without a note."""
_KEPT = (
    *("str", "ndarray", "list", "bytes", "bool", "int", "float"),
    *("Decimal", "datetime", "date", "time"),
)


def _cell(cell: Any) -> str | None:
    import numpy as np
    import pandas as pd

    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, (str, bytes)):
        return "str" if isinstance(cell, str) else "bytes"
    if isinstance(cell, (bool, np.bool_)):
        return "bool"
    if isinstance(cell, (int, np.integer)):
        return "int"
    if isinstance(cell, (float, np.floating)):
        return None if cell != cell else "float"
    return type(cell).__name__


def _check_names(frame: pd.DataFrame) -> None:
    names = list(frame.columns)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputError(f"two columns of the table are called {twice[0]!r}")
    kinds = sorted({type(name).__name__ for name in names})
    if len(kinds) > 1:
        raise InputError(
            f"the names of the table's columns are of several types: {', '.join(kinds)}",
            hint="table.columns = [str(name) for name in table.columns]",
        )


def _restored(old: pd.Series, new: pd.Series) -> str:
    """The type to restore a column to; raises `InputError` where that is impossible."""
    try:
        if new.astype(str(old.dtype)).equals(old):
            return str(old.dtype)
    except (TypeError, ValueError):
        pass  # told below, as any other type that does not come back
    raise InputError(
        f"column '{old.name}' of the table is {old.dtype} and would come back as {new.dtype}",
        hint=f"convert it: table[{old.name!r}].astype({str(new.dtype)!r})",
    )


def _require_same_index(what: str, before: pd.Index, after: pd.Index) -> None:
    same = before.dtype == after.dtype and before.nlevels == after.nlevels
    if not same or list(before.names) != list(after.names) or not before.equals(after):
        raise InputError(
            f"the {what} of the table would not come back: {_described(before)} becomes "
            f"{_described(after)}",
            hint="table.reset_index() makes columns of an index"
            if what == "index"
            else "table.columns = [str(name) for name in table.columns]",
        )


def _described(index: pd.Index) -> str:
    return f"{type(index).__name__} of {index.dtype} ({', '.join(map(repr, index[:3]))})"


def _need_arrow() -> None:
    try:
        import pyarrow  # noqa: F401 - only whether it is there
    except ModuleNotFoundError as error:
        raise MissingError(
            "Parquet needs pyarrow, which is not installed",
            hint="pip install 'mlops-infra[lifecycle]'",
        ) from error
