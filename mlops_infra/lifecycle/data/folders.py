"""A table that lies in a folder as several files, as Spark and Firehose leave it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import csv_table
from mlops_infra.lifecycle.data.parquet import from_parquet

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")


def load(folder: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All `.csv` and `.parquet` files below a folder as one table, in the order of their names.

    A part `name=value` of a path becomes a column, as in Hive. Names that begin with `_` or `.`
    (`_SUCCESS`) hold no data.

    Returns:
        The table, and what a person should know of how it was read.

    Raises:
        InputError: no such folder, no such file in it, or the files have different columns.
    """
    import pandas as pd

    top = Path(folder)
    if not top.is_dir():
        raise InputError("the folder does not exist", where=folder)
    files = sorted(f for f in top.rglob("*") if f.is_file() and not _hidden(f.relative_to(top)))
    files = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not files:
        raise InputError("the folder has no .csv or .parquet file", where=folder)
    texts = [file for file in files if file.suffix.lower() == ".csv"]
    rows, notes = csv_table.each([(_body(f), str(f)) for f in texts]) if texts else ([], ())
    read = dict(zip(texts, rows, strict=True))
    frames = [
        _with_parts(read[file] if file in read else from_parquet(_body(file), str(file)), file, top)
        for file in files
    ]
    first = set(frames[0].columns)
    for file, frame in zip(files, frames, strict=True):
        if set(frame.columns) != first:
            odd = sorted(first.symmetric_difference(frame.columns))
            raise InputError(f"column '{odd[0]}' is not in all files", where=str(file))
    return pd.concat(frames, ignore_index=True), notes


def _body(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=str(file)) from error


def _with_parts(frame: pd.DataFrame, file: Path, top: Path) -> pd.DataFrame:
    for part in file.relative_to(top).parent.parts:
        name, equals, value = part.partition("=")
        if equals:
            frame[name] = unquote(value)
    return frame


def _hidden(path: Path) -> bool:
    return any(part.startswith(("_", ".")) for part in path.parts)
