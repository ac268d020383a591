"""Glue job: raw CSV or JSON lines become typed, partitioned Parquet.

One file that needs nothing but what a Glue worker has: Spark. `raw_to_parquet_pandas` does the same
by the same rules where no Spark is. Run again, it writes the same folders again.

* Every raw value is read as text and cast to its column's type. A row with a value that cannot be
  cast goes to `--refused` with the reason, and not to the table.
* A row whose `--keys` agree with those of a row in a newer file is dropped.
* A column that no file has is an error, and so is a share of refused rows above `--tolerate`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FILE, REASON = "_file", "_reason"
"""Columns of ours while the work lasts: how new a row is, and why it was refused."""
WHOLE = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
"""Types of whole numbers, and how many bits they have."""


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
        parser.error(f"'{unknown[0]}' is not a column")
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
            F.lit(f"{name} is not a {kind}"),
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
    if kind in WHOLE:
        # a cast alone would cut 1.5 to 1
        text = functions.when(text.rlike(r"^[+-]?[0-9]+$"), text)
    if kind == "string":
        return functions.col(name)
    if kind in ("float", "double"):
        # no gap in a table is written as a number
        return functions.when(~functions.isnan(text.cast(kind)), text.cast(kind))
    return text.cast(kind)


def _spark_newest(functions: Any, frame: Any, keys: tuple[str, ...]) -> Any:
    if not keys:
        return frame
    from pyspark.sql import Window

    window = Window.partitionBy(*keys).orderBy(functions.col(FILE).desc())
    ranked = frame.withColumn("_rank", functions.row_number().over(window))
    return ranked.where("_rank = 1").drop("_rank")


def main() -> None:
    """What Glue calls."""
    from pyspark.sql import SparkSession

    settings = settings_of(sys.argv[1:])
    outcome = with_spark(settings, SparkSession.builder.getOrCreate())
    sys.stdout.write(f"{outcome}\n")
    judge(outcome, settings)


if __name__ == "__main__":
    main()
