"""The tables and requests of the tour."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

DATA = "sklearn://wine"
POOR, BETTER, WORSE = '{"C": 0.001}', "{}", '{"C": 0.0005}'
"""Hyperparameters of the linear model: accuracies of about 0.74, 0.96 and 0.46 on unseen wines."""


def rows(number: int) -> pd.DataFrame:
    """The first wines, without their growers."""
    from sklearn.datasets import load_wine

    frame: pd.DataFrame = load_wine(as_frame=True).data
    return frame.head(number).copy()


def some(number: int) -> pd.DataFrame:
    """Wines by chance, as customers would ask about them."""
    from sklearn.datasets import load_wine

    frame: pd.DataFrame = load_wine(as_frame=True).data
    return frame.sample(number, replace=True)


def request(frame: pd.DataFrame) -> dict[str, Any]:
    """Rows in the Open Inference Protocol, one input a column."""
    return {
        "inputs": [
            {
                "name": str(name),
                "datatype": "FP64",
                "shape": [len(frame), 1],
                "data": [float(value) for value in frame[name]],
            }
            for name in frame.columns
        ]
    }


def csv(frame: pd.DataFrame) -> bytes:
    """As a file of a bucket."""
    out = io.StringIO()
    frame.to_csv(out, index=False)
    return out.getvalue().encode()


def hours() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of a day, and the same with an hour that no day has."""
    import pandas as pd

    good = pd.DataFrame({"hour": range(24), "load": [hour / 2 for hour in range(24)]})
    good["target"] = [int(hour > 12) for hour in good["hour"]]
    bad = good.copy()
    bad.loc[7, "hour"] = 77
    return good, bad
