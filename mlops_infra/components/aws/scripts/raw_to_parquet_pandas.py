"""What `raw_to_parquet` does on Glue, in memory and without Spark: for tests and small tables.

``python -m mlops_infra.components.aws.scripts.raw_to_parquet_pandas --source FOLDER …`` takes the
arguments of the job; folders are local ones.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from mlops_infra.components.aws.scripts.raw_to_parquet import (
    FILE,
    REASON,
    WHOLE,
    Outcome,
    Settings,
    judge,
    missing,
    settings_of,
)

_TRUE, _FALSE = ("true", "t", "1", "yes", "y"), ("false", "f", "0", "no", "n")
"""What Spark takes for a truth value."""


def with_pandas(settings: Settings) -> Outcome:
    """Do the work in memory."""
    import pandas as pd

    raw = _pandas_texts(settings)
    missing(settings, [str(name) for name in raw.columns])
    cast = {name: _pandas_cast(raw[name], kind) for name, kind in settings.columns.items()}
    reasons = pd.Series([""] * len(raw), index=raw.index)
    for name, kind in settings.columns.items():
        broken = raw[name].notna() & cast[name].isna()
        reasons[broken] += f"{name} is not a {kind}; "
    good = pd.DataFrame(cast)[reasons == ""].assign(**{FILE: raw[FILE]})
    if settings.keys:
        good = good.sort_values(FILE, kind="stable").drop_duplicates([*settings.keys], keep="last")
    refused = raw[reasons != ""].assign(**{REASON: reasons.str.rstrip("; ")})
    _pandas_write(good.drop(columns=[FILE]), settings)
    _pandas_refuse(refused.drop(columns=[FILE]), settings)
    return Outcome(len(raw), len(good), len(refused))


def _pandas_texts(settings: Settings) -> Any:
    import pandas as pd

    ending = f".{settings.format}"
    files = [f for f in sorted(Path(settings.source).rglob("*")) if f.name.endswith(ending)]
    if not files:
        raise SystemExit(f"{settings.source} holds no {ending} file")
    frames = []
    for file in files:
        if settings.format == "csv":
            frame = pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""])
        else:
            lines = file.read_text("utf-8").splitlines()
            rows = [json.loads(line) for line in lines if line.strip()]
            frame = pd.DataFrame([{k: _json_text(v) for k, v in row.items()} for row in rows])
        frames.append(frame.assign(**{FILE: file.stat().st_mtime_ns}))
    return pd.concat(frames, ignore_index=True)


def _json_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _pandas_cast(column: Any, kind: str) -> Any:
    import pandas as pd

    text = column.str.strip()
    text = text.where(text != "")
    if kind == "string":
        return column
    if kind in WHOLE:
        whole = [_whole(each, WHOLE[kind]) for each in text]
        return pd.Series(whole, index=text.index, dtype=f"Int{WHOLE[kind]}")
    if kind in ("float", "double") or kind.startswith("decimal"):
        numbers = pd.to_numeric(text, errors="coerce").astype("Float64")
        digits = re.fullmatch(r"decimal\([0-9]+,([0-9]+)\)", kind)
        return numbers.round(int(digits.group(1))) if digits else numbers
    if kind == "boolean":
        lower = text.str.lower()
        known = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
        return lower.map(known).astype("boolean")
    if kind in ("date", "timestamp"):
        moments = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
        naive = moments.dt.tz_localize(None)
        return naive.dt.normalize().astype("datetime64[us]") if kind == "date" else naive
    raise SystemExit(f"type '{kind}' needs Spark")


def _whole(text: Any, bits: int) -> int | None:
    """The number; None where it is none or does not fit. A float between would lose digits."""
    if not isinstance(text, str) or not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    number = int(text)
    return number if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) else None


def _as_spark_writes(column: Any) -> Any:
    """A column without gaps has a plain type; pandas' own ones come back as floats to some."""
    if column.dtype.name not in ("boolean", "Float64") and not column.dtype.name.startswith("Int"):
        return column
    return column if column.hasnans else column.astype(column.dtype.numpy_dtype)


def _pandas_write(frame: Any, settings: Settings) -> None:
    frame = frame.apply(_as_spark_writes)
    target = Path(settings.target)
    target.mkdir(parents=True, exist_ok=True)
    if not settings.partitions:
        frame.to_parquet(target / "part-0.parquet", index=False)
        return
    days = [name for name in settings.partitions if settings.columns[name] == "date"]
    frame = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in days})
    for values, part in frame.groupby(list(settings.partitions), dropna=False):
        pairs = zip(settings.partitions, values, strict=True)
        folder = target.joinpath(*(f"{name}={value}" for name, value in pairs))
        # the folder is written anew, so that a second run does not double its rows
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        part.drop(columns=list(settings.partitions)).to_parquet(
            folder / "part-0.parquet", index=False
        )


def _pandas_refuse(frame: Any, settings: Settings) -> None:
    folder = Path(settings.refused)
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_json(folder / "part-0.json", orient="records", lines=True)


def main() -> None:
    """Read, check, write; the same exit as the job's."""
    settings = settings_of(sys.argv[1:])
    outcome = with_pandas(settings)
    sys.stdout.write(f"{outcome}\n")
    judge(outcome, settings)


if __name__ == "__main__":
    main()
