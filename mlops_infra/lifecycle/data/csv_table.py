"""Tables from CSV files: only an empty cell is a gap, and what was written is what is read.

A reader that guesses would make a gap of the country `NA` and 7 of the code `007`. So a column is
of numbers only where every cell is one, and written as numbers are; everything else stays a text.
What a person may have meant otherwise is noted with the column.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import encodings
from mlops_infra.naming import printable

if TYPE_CHECKING:
    import pandas as pd

EXACT = 2**53
"""A column with gaps holds numbers as floats of 64 bits, which are exact up to here."""
MOST = 0.9
"""Share of the cells that look alike: the rest may be mistakes."""
SAMPLE = 1000
"""Cells of a column that tell how it is written."""
FEWEST = 10
"""Rows below which a column that never repeats says nothing."""
_LEADING_ZERO = re.compile(rb"(?:^|[,\n\"])[ +-]*0[0-9]")
_WRITTEN = (
    ("percentages", re.compile(r"[+-]?\d+(?:[.,]\d+)?\s?%")),
    ("numbers with separators", re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")),
    ("amounts of money", re.compile(r"(?:[₩$€¥£]\s?[\d,.]+|[\d,.]+\s?(?:[₩$€¥£]|원|KRW|USD))")),
    ("numbers with a decimal comma", re.compile(r"[+-]?\d+,\d+")),
    ("dates", re.compile(r"\d{4}\s?[-/.년]\s?\d{1,2}\s?[-/.월]\s?\d{1,2}[일.]?(?:[T ].*)?")),
    ("dates", re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?:[T ].*)?")),
)
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")


def from_csv(body: bytes, where: str, *, texts: Collection[str] = ()) -> pd.DataFrame:
    """Read a CSV file with a heading, numbers to their last bit.

    Args:
        body: the file.
        where: its name, for errors.
        texts: columns that hold texts, whatever they look like.

    Raises:
        InputError: it is not such a file, nobody can tell its encoding, or two columns have the
            same name.
    """
    return noted(body, where, texts=texts)[0]


def noted(
    body: bytes, where: str, *, texts: Collection[str] = ()
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table, and what a person should know of how it was read; raises as `from_csv`."""
    text, encoding = encodings.utf8(body, where)
    names = _heading(text, where)
    wanted = [number for number, name in enumerate(names) if name in texts]
    frame = _read(text, where, wanted)
    if len(frame.columns) != len(names):
        raise InputError("not a CSV file: the heading is not one line", where=where)
    frame.columns = names
    notes = [] if encoding is None else [f"the file was read as {encoding}"]
    doubtful = _doubtful(frame, text)
    if doubtful:
        written = _read(text, where, range(len(names)), only=doubtful)
        for number, told in _unlike_numbers(frame, written, doubtful):
            frame.isetitem(number, written.iloc[:, doubtful.index(number)])
            notes.append(f"column '{printable(names[number])}' {told}: read as texts")
    kept = set(doubtful) | set(wanted)
    for number, name in enumerate(names):
        note = None if number in kept else _note(frame.iloc[:, number])
        notes += [] if note is None else [f"column '{printable(name)}' {note}"]
    return frame, tuple(notes)


def each(
    files: Sequence[tuple[bytes, str]], *, texts: Collection[str] = ()
) -> tuple[list[pd.DataFrame], tuple[str, ...]]:
    """Parts of one table: a column is of texts in all of them if it is in one.

    Raises:
        InputError: as `from_csv`.
    """
    read = [noted(body, where, texts=texts) for body, where in files]
    names = dict.fromkeys(name for frame, _ in read for name in frame.columns)
    mixed = [
        name
        for name in names
        if len({_family(frame[name]) for frame, _ in read if name in frame} - {""}) > 1
    ]
    if mixed:
        read = [noted(body, where, texts=[*texts, *mixed]) for body, where in files]
    notes = dict.fromkeys(note for _, found in read for note in found)
    return [frame for frame, _ in read], tuple(notes)


def _heading(text: bytes, where: str) -> list[str]:
    """The names of the columns, as they are written."""
    lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
    try:
        names = next((line for line in csv.reader(lines) if line), None)
    except csv.Error as error:
        raise InputError(f"not a CSV file: {error}", where=where) from error
    if names is None:
        raise InputError("not a CSV file: it is empty", where=where)
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and sign in names[0]:
            raise InputError(
                f"the columns are separated by {name}, not by commas",
                where=where,
                hint="save it with commas between the columns",
            )
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise InputError(f"column '{printable(twice[0])}' is duplicated", where=where)
    # as pandas calls them, whose `to_csv` writes an index without a name
    return [name or f"Unnamed: {number}" for number, name in enumerate(names)]


def _read(
    text: bytes, where: str, texts: Iterable[int], *, only: Sequence[int] | None = None
) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                io.BytesIO(text),
                float_precision="round_trip",
                keep_default_na=False,
                na_values=[""],
                index_col=False,
                low_memory=False,
                dtype=dict.fromkeys(texts, "object"),
                usecols=only,
            )
    except pd.errors.ParserWarning as error:
        raise InputError(
            "the rows have more cells than the heading has names",
            where=where,
            hint="name every column, and leave no comma at the end of the rows",
        ) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"not a CSV file: {error}", where=where) from error


def _doubtful(frame: pd.DataFrame, text: bytes) -> list[int]:
    """Columns of numbers that may have been written in a way that numbers do not keep."""
    zeros = _LEADING_ZERO.search(text) is not None
    found = []
    for number in range(len(frame.columns)):
        column = frame.iloc[:, number]
        kind = column.dtype.kind
        long = kind == "f" and bool((column.abs() >= EXACT).any())
        if long or (zeros and kind in "iuf"):
            found.append(number)
    return found


def _unlike_numbers(
    frame: pd.DataFrame, written: pd.DataFrame, doubtful: Sequence[int]
) -> Iterator[tuple[int, str]]:
    for place, number in enumerate(doubtful):
        cells = written.iloc[:, place].dropna().astype(str)
        zeros = cells[cells.str.match(r"\s*[+-]?0\d")]
        long = cells[cells.str.fullmatch(r"\s*[+-]?\d{16,}\s*")]
        if len(zeros):
            yield number, f"has leading zeros, for example '{zeros.iloc[0]}'"
        elif len(long) and frame.iloc[:, number].dtype.kind == "f":
            yield number, f"has numbers of more digits than are kept, '{long.iloc[0]}'"


def _family(column: pd.Series) -> str:
    """Numbers, truth or texts; empty where the column holds nothing."""
    if not column.notna().any():
        return ""
    return {"O": "text", "b": "truth"}.get(column.dtype.kind, "number")


def _note(column: pd.Series) -> str | None:
    """What a person may not have meant: a number, a date, an id that is read as another thing."""
    held = column.dropna()
    if column.dtype.kind in "iu":
        steps = held.diff().iloc[1:]
        if len(held) >= FEWEST and bool((steps == 1).all()):
            return f"numbers the rows, from {held.iloc[0]}: leave it out unless it tells something"
        return None
    if column.dtype != object or not len(held) or not isinstance(held.iloc[0], str):
        return None
    cells = held.astype(str)
    sample = cells.head(SAMPLE)
    for what, pattern in _WRITTEN:
        if sample.str.fullmatch(pattern).mean() >= MOST:
            shown = printable(cells.iloc[0])
            return f"has {what}, for example '{shown}': read as texts, each a category of its own"
    if sample.str.fullmatch(_NUMBER).mean() < 1 - MOST:
        odd = cells  # words: no need to look at all of them
    else:
        odd = cells[~cells.str.fullmatch(_NUMBER)]
    if 0 < len(odd) <= len(cells) / 2:
        shown = printable(str(odd.iloc[0])[:40])
        return (
            f"has numbers and {len(odd)} other cells, for example '{shown}' (row {odd.index[0]}): "
            "read as texts; only an empty cell is a gap"
        )
    if len(odd) == 0:
        return f"has numbers that are too long, for example '{cells.iloc[0]}': read as texts"
    if len(cells) >= FEWEST and cells.nunique() == len(column):
        return "has another value in each row: an id tells nothing, leave it out"
    return None
