"""The built-in step `baseline`: what SageMaker's data-quality monitor compares requests with.

The two documents have the form that SageMaker's analyzer reads ("Schema for statistics" and
"Schema for constraints" in its developer guide): one entry a column, with its kind, how often it is
filled, and for numbers the distribution in buckets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.pipeline.steps.job import Job

if TYPE_CHECKING:
    import pandas as pd

BUCKETS = 10
MOST_VALUES = 100
"""A text column with more kinds of values has no list of allowed ones."""
FILLED = 1.0
DOMAIN = 1.0
"""Share of requests that must hold a known value."""
DRIFT = 0.1
"""Distance of the distributions that counts as drift."""


def baseline(job: Job) -> Mapping[str, Any]:
    """Statistics and constraints of the columns that a model is asked with."""
    frame = job.load("seen").drop(columns=[job.text("target")])
    return {"statistics": statistics(frame), "constraints": constraints(frame)}


def statistics(frame: pd.DataFrame) -> dict[str, Any]:
    """`statistics.json`."""
    features = [_statistic(str(name), frame[name]) for name in frame.columns]
    return {"version": 0.0, "dataset": {"item_count": len(frame)}, "features": features}


def constraints(frame: pd.DataFrame) -> dict[str, Any]:
    """`constraints.json`."""
    return {
        "version": 0.0,
        "features": [_constraint(str(name), frame[name]) for name in frame.columns],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": DOMAIN,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": DRIFT,
                "comparison_method": "Robust",
            },
        },
    }


def _kind(column: pd.Series) -> str:
    if column.dtype.kind in "iub":
        return "Integral"
    return "Fractional" if column.dtype.kind == "f" else "String"


def _statistic(name: str, column: pd.Series) -> dict[str, Any]:
    kind = _kind(column)
    common = {"num_present": int(column.notna().sum()), "num_missing": int(column.isna().sum())}
    made: dict[str, Any] = {"name": name, "inferred_type": kind}
    if kind == "String":
        counts = column.dropna().astype(str).value_counts().sort_index()
        made["string_statistics"] = {
            "common": common,
            "distinct_count": len(counts),
            "distribution": {
                "categorical": {
                    "buckets": [
                        {"value": str(value), "count": int(count)}
                        for value, count in counts.head(MOST_VALUES).items()
                    ]
                }
            },
        }
        return made
    made["numerical_statistics"] = {"common": common, **_numbers(column.dropna().astype(float))}
    return made


def _numbers(column: pd.Series) -> dict[str, Any]:
    import numpy as np

    if column.empty:
        return {}
    counts, edges = np.histogram(column.to_numpy(), bins=BUCKETS)
    return {
        "mean": float(column.mean()),
        "sum": float(column.sum()),
        "std_dev": float(column.std(ddof=0)),
        "min": float(column.min()),
        "max": float(column.max()),
        "distribution": {
            "kll": {
                "buckets": [
                    {"lower_bound": float(low), "upper_bound": float(high), "count": float(count)}
                    for low, high, count in zip(edges, edges[1:], counts, strict=False)
                ],
                # the analyzer draws from the sketch; without it, from every value
                "sketch": {
                    "parameters": {"c": 0.64, "k": 2048.0},
                    "data": [[float(value) for value in column.iloc[:2048]]],
                },
            }
        },
    }


def _constraint(name: str, column: pd.Series) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "inferred_type": _kind(column),
        "completeness": float(column.notna().mean()) if len(column) else FILLED,
    }
    values = column.dropna()
    if made["inferred_type"] == "String":
        known = sorted({str(value) for value in values})
        if len(known) <= MOST_VALUES:
            made["string_constraints"] = {"domains": known}
    else:
        least = float(values.min()) if len(values) else 0.0
        made["num_constraints"] = {"is_non_negative": least >= 0}
    return made
