"""Logged requests of the Open Inference Protocol as one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.gateway.core.form import Ragged, flat

if TYPE_CHECKING:
    import pandas as pd
    from psycopg import Connection

MOST_REQUESTS = 20_000
"""The newest ones; a sample of this size tells as much as all."""
_LOGGED = (
    "SELECT request FROM prediction WHERE tenant = %s AND model = %s AND at >= %s "
    # a shadow sees the champion's requests again
    "AND role IN ('champion', 'challenger', 'fallback') AND status = 200 AND request IS NOT NULL "
    "ORDER BY at DESC LIMIT %s"
)
Connect = Callable[[], AbstractContextManager["Connection[Any]"]]


def logged(
    connect: Connect, tenant: str, model: str, since: datetime, names: Sequence[str]
) -> pd.DataFrame:
    """Inputs that the model's versions have answered since `since`; `names` are its columns."""
    with connect() as connection:
        rows = connection.execute(_LOGGED, (tenant, model, since, MOST_REQUESTS)).fetchall()
    return table((row[0] for row in rows), names)


def table(requests: Iterable[Mapping[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    """One row for each row of each request; a tensor without names gets those of the model."""
    import pandas as pd

    frames = [frame for request in requests if (frame := _frame(request, names)) is not None]
    if not frames:
        return pd.DataFrame(columns=list(names))
    return pd.concat(frames, ignore_index=True)


def _frame(request: Mapping[str, Any], names: Sequence[str]) -> pd.DataFrame | None:
    inputs = request.get("inputs") or []
    try:
        return _columns(inputs, names)
    except (Ragged, KeyError, TypeError):
        return None  # an older release logged requests that this one refuses


def _columns(inputs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pd.DataFrame | None:
    import pandas as pd

    if len(inputs) == 1 and _width(inputs[0]) == len(names) and inputs[0]["name"] not in names:
        values, width = flat(inputs[0]["data"]), len(names)
        rows = [values[start : start + width] for start in range(0, len(values), width)]
        return pd.DataFrame(rows, columns=list(names))
    columns = {each["name"]: flat(each["data"]) for each in inputs}
    if not columns or len({len(values) for values in columns.values()}) != 1:
        return None  # no table: an image, or a model with inputs of several lengths
    return pd.DataFrame(columns)


def _width(given: Mapping[str, Any]) -> int:
    shape = given.get("shape") or []
    return int(shape[-1]) if len(shape) > 1 else 1
