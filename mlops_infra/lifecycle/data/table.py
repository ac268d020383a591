"""A table of named columns and the fingerprint that names its content on every machine."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError, MissingError

if TYPE_CHECKING:
    import pandas as pd

PARQUET_COMPRESSION = "zstd"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with named columns; one of them may be what a model shall tell."""

    name: str
    """Where it came from, for example `sklearn://wine`."""
    frame: pd.DataFrame
    target: str | None = None

    @property
    def features(self) -> list[str]:
        """The columns beside the target, in their order."""
        return [str(column) for column in self.frame.columns if column != self.target]


def fingerprint(frame: pd.DataFrame) -> str:
    """SHA-256 over a canonical form: equal columns and values give equal hex everywhere.

    The form is one JSON line with the columns, their kinds and the number of rows, then each column
    by itself: numbers as little-endian 64-bit values, anything else as one JSON line per cell. The
    index and the width of integers do not count; every NaN is the same NaN.
    """
    import numpy as np

    columns = [(str(name), _kind(frame[name])) for name in frame.columns]
    head = json.dumps({"columns": columns, "rows": len(frame)}, ensure_ascii=False)
    digest = hashlib.sha256(head.encode() + b"\n")
    for name, kind in zip(frame.columns, (kind for _, kind in columns), strict=True):
        if kind == "float":
            values = frame[name].to_numpy(dtype="<f8", na_value=np.nan)
            digest.update(np.where(np.isnan(values), np.nan, values).tobytes())
        elif kind in ("int", "bool"):
            digest.update(frame[name].to_numpy(dtype="<i8").tobytes())
        else:
            for cell in frame[name].tolist():
                digest.update(json.dumps(_plain(cell), ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def to_parquet(frame: pd.DataFrame) -> bytes:
    """The table as one Parquet file, without its index."""
    body = io.BytesIO()
    _need_arrow()
    frame.to_parquet(body, index=False, compression=PARQUET_COMPRESSION)
    return body.getvalue()


def from_parquet(body: bytes, where: str) -> pd.DataFrame:
    """Read a Parquet file; raises `InputError` where it is none."""
    import pandas as pd

    _need_arrow()
    from pyarrow.lib import ArrowException

    try:
        return pd.read_parquet(io.BytesIO(body))
    except (ArrowException, ValueError, OSError) as error:
        raise InputError(f"not a Parquet file: {error}", where=where) from error


def from_csv(body: bytes, where: str) -> pd.DataFrame:
    """Read a CSV file with a heading, numbers to their last bit.

    Raises:
        InputError: it is not such a file, or a column has no or twice the same name.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(io.BytesIO(body), float_precision="round_trip")
        # pandas renames the second of two equal names: read the heading as it stands
        names = pd.read_csv(io.BytesIO(body), nrows=1, header=None, dtype=str).iloc[0].tolist()
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"not a CSV file: {error}", where=where) from error
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"column '{twice[0]}' is duplicated", where=where)
    return frame


def _kind(column: Any) -> str:
    kind = column.dtype.kind
    return {"f": "float", "i": "int", "u": "int", "b": "bool"}.get(kind, "text")


def _plain(cell: Any) -> Any:
    if cell is None or cell != cell:
        return None
    return cell if isinstance(cell, (str, int, float, bool)) else str(cell)


def _need_arrow() -> None:
    try:
        import pyarrow  # noqa: F401 - only whether it is there
    except ModuleNotFoundError as error:
        raise MissingError(
            "Parquet needs pyarrow, which is not installed",
            hint="pip install 'mlops-infra[lifecycle]'",
        ) from error
