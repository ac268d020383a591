"""Glue job: raw CSV or JSON lines become typed, partitioned Parquet.

One file that needs nothing but what a Glue worker has; Glue runs it with Spark, a machine without
Spark runs the same rules with pandas. Run again, it writes the same folders again.

* Every raw value is read as text and cast to its column's type. A row with a value that cannot be
  cast goes to `--refused` with the reason, and not to the table.
* A row whose `--keys` agree with those of a row in a newer file is dropped.
* A column that no file has is an error, and so is a share of refused rows above `--tolerate`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FILE, REASON = "_file", "_reason"
"""Columns of ours while the work lasts: how new a row is, and why it was refused."""
_WHOLE = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_TRUE, _FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no")


@dataclass(frozen=True)
class Settings:
    """What is read and what is written."""

    source: str
    """Folder of raw files."""
    target: str
    """Folder of the table."""
    refused: str
    """Folder of the rows that were not taken."""
    format: str
    """`csv` (with a heading) or `json` (one object a line)."""
    columns: dict[str, str]
    """Column to type, those of the partitions included."""
    partitions: tuple[str, ...]
    keys: tuple[str, ...]
    tolerate: float
    """Share of refused rows that is not yet an error."""


@dataclass(frozen=True)
class Outcome:
    """How many rows went where."""

    read: int
    written: int
    refused: int

    def __str__(self) -> str:
        older = self.read - self.written - self.refused
        return f"{self.read} rows: {self.written} written, {self.refused} refused, {older} older"


def settings_of(arguments: Sequence[str]) -> Settings:
    """Read the job's arguments; Glue adds many of its own, which are left alone."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("source", "target", "refused"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--format", choices=("csv", "json"), required=True)
    parser.add_argument("--columns", required=True, help="name:type;name:type")
    parser.add_argument("--partitions", default="")
    parser.add_argument("--keys", default="")
    parser.add_argument("--tolerate", type=float, default=0.05)
    given, _ = parser.parse_known_args(arguments)
    columns = dict(pair.split(":", 1) for pair in given.columns.split(";") if pair)
    partitions, keys = _listed(given.partitions), _listed(given.keys)
    unknown = sorted({*partitions, *keys} - set(columns))
    if unknown:
        parser.error(f"'{unknown[0]}' is no column")
    return Settings(
        given.source.rstrip("/") + "/",
        given.target.rstrip("/") + "/",
        given.refused.rstrip("/") + "/",
        given.format,
        columns,
        partitions,
        keys,
        given.tolerate,
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def judge(outcome: Outcome, settings: Settings) -> None:
    """Fail the job where too much was refused; what was refused is written by then."""
    if outcome.read and outcome.refused / outcome.read > settings.tolerate:
        raise SystemExit(
            f"{outcome}; more than {settings.tolerate:.0%} refused, see {settings.refused}"
        )


def missing(settings: Settings, found: Sequence[str]) -> None:
    """Stop where a column is in no file: every row of the table would lack it."""
    absent = [name for name in settings.columns if name not in found]
    if absent:
        raise SystemExit(f"{settings.source} has no column '{absent[0]}'; it has {sorted(found)}")


# --- Spark: what Glue runs ----------------------------------------------------------------------


def with_spark(settings: Settings, spark: Any) -> Outcome:
    """Do the work with a Spark session."""
    from pyspark.sql import functions as F  # noqa: N812 - everybody's name for it

    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    # a date that is none shall become null, on every version of Spark
    spark.conf.set("spark.sql.ansi.enabled", "false")
    raw = _spark_texts(settings, spark)
    missing(settings, raw.columns)
    raw = raw.withColumn(FILE, F.col("_metadata.file_modification_time")).cache()
    reasons = [
        F.when(
            F.col(name).isNotNull() & _spark_cast(F, name, kind).isNull(),
            F.lit(f"{name} is no {kind}"),
        )
        for name, kind in settings.columns.items()
    ]
    marked = raw.withColumn(REASON, F.concat_ws("; ", *reasons)).cache()
    refused = marked.where(F.col(REASON) != "").drop(FILE)
    typed = marked.where(F.col(REASON) == "").select(
        *(_spark_cast(F, name, kind).alias(name) for name, kind in settings.columns.items()), FILE
    )
    newest = _spark_newest(F, typed, settings.keys).drop(FILE).cache()
    outcome = Outcome(raw.count(), newest.count(), refused.count())
    writer = newest.write.mode("overwrite")
    if settings.partitions:
        writer = newest.repartition(*settings.partitions).write.mode("overwrite")
        writer = writer.partitionBy(*settings.partitions)
    writer.parquet(settings.target)
    refused.write.mode("overwrite").json(settings.refused)
    return outcome


def _spark_texts(settings: Settings, spark: Any) -> Any:
    """All raw values as text, so that nothing is guessed."""
    if settings.format == "csv":
        reader = spark.read.option("header", True).option("inferSchema", False)
        return reader.option("recursiveFileLookup", True).option("escape", '"').csv(settings.source)
    fields = ", ".join(f"`{name}` string" for name in settings.columns)
    reader = spark.read.option("recursiveFileLookup", True)
    return reader.schema(fields).json(settings.source)


def _spark_cast(functions: Any, name: str, kind: str) -> Any:
    text = functions.trim(functions.col(name))
    text = functions.when(text != "", text)
    if kind in _WHOLE:
        # a cast alone would cut 1.5 to 1
        text = functions.when(text.rlike(r"^[+-]?[0-9]+$"), text)
    if kind == "string":
        return functions.col(name)
    return text.cast(kind)


def _spark_newest(functions: Any, frame: Any, keys: tuple[str, ...]) -> Any:
    if not keys:
        return frame
    from pyspark.sql import Window

    window = Window.partitionBy(*keys).orderBy(functions.col(FILE).desc())
    ranked = frame.withColumn("_rank", functions.row_number().over(window))
    return ranked.where("_rank = 1").drop("_rank")


# --- pandas: the same rules where no Spark is ---------------------------------------------------


def with_pandas(settings: Settings) -> Outcome:
    """Do the work in memory; for tests and small tables."""
    import pandas as pd

    raw = _pandas_texts(settings)
    missing(settings, [str(name) for name in raw.columns])
    cast = {name: _pandas_cast(raw[name], kind) for name, kind in settings.columns.items()}
    reasons = pd.Series([""] * len(raw), index=raw.index)
    for name, kind in settings.columns.items():
        broken = raw[name].notna() & cast[name].isna()
        reasons[broken] += f"{name} is no {kind}; "
    good = pd.DataFrame(cast)[reasons == ""].assign(**{FILE: raw[FILE]})
    if settings.keys:
        good = good.sort_values(FILE, kind="stable").drop_duplicates([*settings.keys], keep="last")
    refused = raw[reasons != ""].assign(**{REASON: reasons.str.rstrip("; ")})
    _pandas_write(good.drop(columns=[FILE]), settings)
    _pandas_refuse(refused.drop(columns=[FILE]), settings)
    return Outcome(len(raw), len(good), len(refused))


def _pandas_texts(settings: Settings) -> Any:
    from pathlib import Path

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
    if kind in _WHOLE:
        numbers = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?[0-9]+")), errors="coerce")
        limit = 2.0 ** (_WHOLE[kind] - 1)
        return numbers.where((numbers >= -limit) & (numbers < limit)).astype("Int64")
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


def _pandas_write(frame: Any, settings: Settings) -> None:
    import shutil
    from pathlib import Path

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
    from pathlib import Path

    folder = Path(settings.refused)
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_json(folder / "part-0.json", orient="records", lines=True)


def main() -> None:
    """What Glue calls."""
    settings = settings_of(sys.argv[1:])
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        outcome = with_pandas(settings)
    else:
        outcome = with_spark(settings, SparkSession.builder.getOrCreate())
    sys.stdout.write(f"{outcome}\n")
    judge(outcome, settings)


if __name__ == "__main__":
    main()
