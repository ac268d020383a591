"""Requests that a SageMaker endpoint has recorded, as one table.

SageMaker writes JSON lines to `PLACE/ENDPOINT/VARIANT/yyyy/mm/dd/hh/` in UTC ("Data capture" in its
developer guide): in each, the request as it came, and how it is written there.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.drift import requests

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 20_000
"""The newest ones; a sample of this size tells as much as all."""


@dataclass(frozen=True, slots=True)
class Captured:
    """Rows of requests, text where they came as CSV, and how many requests were no table."""

    frame: pd.DataFrame
    unreadable: int


def read(files: Iterable[bytes], names: Sequence[str]) -> Captured:
    """The rows of files of captured requests; reads no further file when there are enough.

    Args:
        files: newest first.
        names: columns of the model in its order, for requests that name none.
    """
    import pandas as pd

    frames, unreadable, rows = [], 0, 0
    for file in files:
        for line in file.splitlines():
            if not line.strip():
                continue
            frame = _frame(line, names)
            if frame is None:
                unreadable += 1
                continue
            frames.append(frame)
            rows += len(frame)
        if rows >= MOST_ROWS:
            break
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(names))
    return Captured(whole, unreadable)


def _frame(line: bytes, names: Sequence[str]) -> pd.DataFrame | None:
    """One record; None where its request is not a table of the model's columns."""
    try:
        given = json.loads(line)["captureData"]["endpointInput"]
        content, body = given["observedContentType"], _body(given)
        found = _of_csv(body, names) if "csv" in content else _of_json(body, names)
    except (ValueError, KeyError, TypeError, csv.Error):
        return None  # binascii.Error and UnicodeDecodeError are ValueErrors
    return found if found is not None and len(found) else None


def _body(given: Mapping[str, str]) -> str:
    data = given["data"]
    if given.get("encoding") != "BASE64":
        return data
    return base64.b64decode(data, validate=True).decode("utf-8-sig")


def _of_csv(body: str, names: Sequence[str]) -> pd.DataFrame | None:
    import pandas as pd

    rows = [row for row in csv.reader(io.StringIO(body)) if row]
    columns = list(names)
    if rows and {cell.strip() for cell in rows[0]} == set(names):
        columns = [cell.strip() for cell in rows.pop(0)]
    if any(len(row) != len(columns) for row in rows):
        return None
    blank = [[cell.strip() or None for cell in row] for row in rows]
    return pd.DataFrame(blank, columns=columns, dtype=object)


def _of_json(body: str, names: Sequence[str]) -> pd.DataFrame | None:
    try:
        read = json.loads(body)
    except json.JSONDecodeError:
        read = [json.loads(row) for row in body.splitlines() if row.strip()]
    if isinstance(read, dict) and isinstance(read.get("inputs"), list):
        return requests.table([read], names)
    if isinstance(read, dict):
        read = read.get("instances", [read])
    return _of_rows(read, names)


def _of_rows(rows: Any, names: Sequence[str]) -> pd.DataFrame | None:
    import pandas as pd

    if not isinstance(rows, list):
        return None
    if rows and not any(isinstance(row, dict | list) for row in rows):
        rows = [rows]
    if all(isinstance(row, dict) for row in rows):
        return pd.DataFrame(rows)
    if all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return pd.DataFrame(rows, columns=list(names))
    return None
