"""A table of named columns and the fingerprint that names its content on every machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with named columns; one of them may be what a model shall tell."""

    name: str
    """Where it came from, for example `sklearn://wine`."""
    frame: pd.DataFrame
    target: str | None = None
    notes: tuple[str, ...] = ()
    """What a person should know of how it was read."""

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


def _kind(column: Any) -> str:
    kind = column.dtype.kind
    return {"f": "float", "i": "int", "u": "int", "b": "bool"}.get(kind, "text")


def _plain(cell: Any) -> Any:
    if cell is None or cell != cell:
        return None
    return cell if isinstance(cell, (str, int, float, bool)) else str(cell)
