"""What a model learnt from, as `statistics.json` and `constraints.json` tell it.

The two documents are those of SageMaker's own monitors; `pipeline.baseline_steps` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_SAMPLE = 2_000
"""Rows that the counts of a text column are made into."""


def kinds(statistics: Mapping[str, Any]) -> dict[str, str]:
    """Column to `Integral`, `Fractional` or `String`, in the order of the model.

    Raises:
        InputError: it is not such a document.
    """
    try:
        return {str(each["name"]): str(each["inferred_type"]) for each in statistics["features"]}
    except (KeyError, TypeError) as error:
        raise InputError(
            f"statistics.json does not say what the columns hold: {error}",
            hint="the pipeline's step `baseline` writes one",
        ) from error


def reference(statistics: Mapping[str, Any]) -> pd.DataFrame:
    """A table whose columns are distributed as the training data; its rows mean nothing."""
    import pandas as pd

    found = {each["name"]: _values(each) for each in statistics["features"]}
    return pd.DataFrame({name: pd.Series(values) for name, values in found.items() if values})


def typed(frame: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
    """Columns of numbers as numbers, whatever they came as; what is none becomes a gap."""
    import pandas as pd

    return frame.assign(
        **{
            name: pd.to_numeric(frame[name], errors="coerce")
            for name, kind in wanted.items()
            if name in frame.columns and kind != "String"
        }
    )


def broken(
    frame: pd.DataFrame, wanted: Mapping[str, str], constraints: Mapping[str, Any]
) -> list[str]:
    """Rules of the baseline that the requests break, as sentences."""
    found = [f"{name}: the requests do not have it" for name in wanted if name not in frame.columns]
    numbers = typed(frame, wanted)
    for rule in constraints.get("features", ()):
        name = str(rule["name"])
        if name in frame.columns:
            found += [f"{name}: {text}" for text in _against(rule, frame[name], numbers[name])]
    return found


def _values(feature: Mapping[str, Any]) -> list[Any]:
    if "string_statistics" in feature:
        buckets = feature["string_statistics"]["distribution"]["categorical"]["buckets"]
        whole = sum(bucket["count"] for bucket in buckets) or 1
        return [
            bucket["value"]
            for bucket in buckets
            for _ in range(max(1, round(_SAMPLE * bucket["count"] / whole)))
        ]
    told = feature.get("numerical_statistics", {}).get("distribution", {}).get("kll", {})
    return [value for part in told.get("sketch", {}).get("data", ()) for value in part]


def _against(rule: Mapping[str, Any], given: pd.Series, numbers: pd.Series) -> Iterator[str]:
    filled = given.notna()
    least = float(rule.get("completeness", 0))
    if filled.mean() < least:
        yield f"{filled.mean():.1%} of the rows have it, {least:.1%} had"
    if rule.get("inferred_type") != "String":
        strange = int((filled & numbers.isna()).sum())
        if strange:
            yield f"{strange} values are not numbers"
        if rule.get("num_constraints", {}).get("is_non_negative") and (numbers < 0).any():
            yield f"{int((numbers < 0).sum())} values are below 0, none was"
    known = rule.get("string_constraints", {}).get("domains")
    if known is not None:
        others = sorted(set(given[filled].astype(str)) - set(known))
        if others:
            yield f"{len(others)} values were never seen: {', '.join(others[:5])}"
