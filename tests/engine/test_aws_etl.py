"""The Glue job's program: Spark and pandas take the same rows and refuse the same rows.

Spark 3.5 is that of Glue 5.0. It needs Java and 320 MB from PyPI; where they are not here, the
comparison is skipped by name, and MLOPS_INFRA_STORM=1 fetches it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops_infra import places
from mlops_infra.components.aws.scripts import raw_to_parquet, raw_to_parquet_pandas
from tests import tools

SPARK = "pyspark==3.5.4"
COLUMNS = (
    "id:bigint;amount:double;late:boolean;note:string;at:timestamp;price:decimal(10,2);day:date"
)
HEAD = "id,amount,late,note,at,price,day"
ROWS = (
    "1,1.5,true,plain,2026-11-01T10:00:00,9.99,2026-11-01",
    '2,2e3,FALSE,"a, ""quoted"" one",2026-11-01 11:00:00,0.10,2026-11-01',
    "9007199254740993,-0.25,1,,,5,2026-11-02",
    "3,,,empty cells are none,,,2026-11-02",
    "4,NaN,true,not a number,,,2026-11-02",
    "1.5,1,true,not whole,,,2026-11-02",
    "99999999999999999999,1,true,too large,,,2026-11-02",
    "5,1,maybe,neither,,,2026-11-02",
    "6,1,true,no such day,,,2026-13-40",
    "7,much,no,text,,x,2026-11-02",
)
REFUSED = {"not a number", "not whole", "too large", "neither", "no such day", "text"}
LATER = "1,7.5,false,newer,2026-11-03T10:00:00,1.00,2026-11-01"


def arguments(root: Path, *more: str) -> list[str]:
    said = {"source": "raw", "target": "table", "refused": "refused"}
    return [
        *(word for name, folder in said.items() for word in (f"--{name}", str(root / folder))),
        *("--columns", COLUMNS, "--partitions", "day", "--keys", "id", "--tolerate", "0.9"),
        # what Glue adds by itself
        *("--JOB_NAME", "orders", "--enable-metrics", "true"),
        *(more or ("--format", "csv")),
    ]


def raw(root: Path) -> None:
    folder = root / "raw"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("\n".join((HEAD, *ROWS)) + "\n", "utf-8")
    (folder / "b.csv").write_text(f"{HEAD}\n{LATER}\n", "utf-8")
    os.utime(folder / "a.csv", (1_700_000_000, 1_700_000_000))


def spark(words: list[str]) -> subprocess.CompletedProcess[str]:
    python_tag = f"py{sys.version_info[0]}{sys.version_info[1]}"
    cached = places.cache() / "test-tools" / f"pyspark-3.5.4-{python_tag}" / "complete"
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine")
    if not cached.exists() and os.environ.get("MLOPS_INFRA_STORM") != "1":
        pytest.skip(f"{SPARK} is not in the cache: MLOPS_INFRA_STORM=1 fetches it")
    python = tools.environment(SPARK) / "python"
    environment = {**os.environ, "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"}
    # a few rows: what costs is the start and the compiler
    conf = "--master local[1] --driver-memory 1g --conf spark.ui.enabled=false"
    conf += " --conf spark.sql.shuffle.partitions=1 --conf spark.sql.codegen.wholeStage=false"
    conf += " --driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' pyspark-shell"
    return subprocess.run(
        [python, raw_to_parquet.__file__, *words], check=False, capture_output=True, text=True,
        env={**environment, "PYSPARK_SUBMIT_ARGS": conf}, timeout=500,
    )  # fmt: skip


def table(root: Path) -> pd.DataFrame:
    """What a query sees: every column, those of the folders' names included."""
    frame = pd.read_parquet(root / "table").sort_values("id", ignore_index=True)
    return frame.assign(day=frame["day"].astype(str), price=frame["price"].astype(float).round(2))


def cells(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The values alone: the two write a gap each in their own way."""
    plain = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [dict(sorted(row.items())) for row in plain]


def refused(root: Path) -> dict[str, str]:
    lines = [
        pd.read_json(file, lines=True, dtype=False)
        for file in sorted((root / "refused").glob("*.json"))
        if file.stat().st_size
    ]
    frame = pd.concat(lines, ignore_index=True)
    return dict(zip(frame["note"], frame["_reason"], strict=True))


def in_memory(root: Path) -> raw_to_parquet.Outcome:
    return raw_to_parquet_pandas.with_pandas(raw_to_parquet.settings_of(arguments(root)))


def test_rows_are_typed_dated_and_refused_with_a_reason(tmp_path: Path) -> None:
    raw(tmp_path)
    assert str(in_memory(tmp_path)) == "11 rows: 4 written, 6 refused, 1 older"
    found = table(tmp_path)
    assert found["id"].tolist() == [1, 2, 3, 2**53 + 1]
    assert found.loc[0, "note"] == "newer"
    assert found.loc[1, "note"] == 'a, "quoted" one'
    assert sorted(p.name for p in (tmp_path / "table").iterdir()) == [
        "day=2026-11-01", "day=2026-11-02"
    ]  # fmt: skip
    told = refused(tmp_path)
    assert set(told) == REFUSED
    assert told["text"] == "amount is not a double; price is not a decimal(10,2)"


def test_run_again_it_writes_the_same_again(tmp_path: Path) -> None:
    raw(tmp_path)
    in_memory(tmp_path)
    first = table(tmp_path)
    in_memory(tmp_path)
    pd.testing.assert_frame_equal(table(tmp_path), first)


def test_a_column_that_no_file_has_is_an_error(tmp_path: Path) -> None:
    raw(tmp_path)
    words = arguments(tmp_path)
    words[words.index("--columns") + 1] += ";colour:string"
    with pytest.raises(SystemExit, match="has no column 'colour'"):
        raw_to_parquet_pandas.with_pandas(raw_to_parquet.settings_of(words))


def test_spark_does_the_same(tmp_path: Path) -> None:
    raw(tmp_path / "spark")
    done = spark(arguments(tmp_path / "spark"))
    assert done.returncode == 0, done.stderr[-3000:]
    raw(tmp_path / "pandas")
    assert done.stdout.strip().splitlines()[-1] == str(in_memory(tmp_path / "pandas"))
    theirs, ours = table(tmp_path / "spark"), table(tmp_path / "pandas")
    assert cells(theirs) == cells(ours)
    assert refused(tmp_path / "spark") == refused(tmp_path / "pandas")


def test_glue_gets_one_file_that_imports_nothing_of_ours() -> None:
    text = Path(raw_to_parquet.__file__).read_text("utf-8")
    assert "mlops_infra" not in text
