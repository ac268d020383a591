"""A schema lets through what it was inferred from, and tells what is wrong with anything else."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import FoundError, InputError, MissingError
from mlops_infra.lifecycle.validation import (
    ColumnSchema,
    FolderFiles,
    SchemaKeeper,
    TableSchema,
    check,
    infer,
    validator,
)
from mlops_infra.lifecycle.validation.schema import from_json

HOURS = pd.DataFrame(
    {
        "id": range(100),
        "hour": [n % 24 for n in range(100)],
        "shop": ["east", "west"] * 50,
        "price": [1.5 + n / 10 for n in range(100)],
        "open": [True, False] * 50,
    }
)
SCHEMA = infer(HOURS, key=("id",), slack=0.0)

columns = st.one_of(
    st.lists(st.integers(-(2**40), 2**40), min_size=5, max_size=5),
    st.lists(st.floats(allow_infinity=False), min_size=5, max_size=5),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=5, max_size=5),
)


@given(st.dictionaries(st.sampled_from("abcdef"), columns, min_size=1))
def test_every_table_keeps_its_own_schema_also_after_a_trip_through_json(
    values: dict[str, Any],
) -> None:
    table = pd.DataFrame(values)
    schema = from_json(infer(table).to_json(), "here")
    assert check(table, schema).findings == ()


def broken(**changes: Any) -> list[Any]:
    return list(check(HOURS.assign(**changes), SCHEMA).findings)


def test_findings_name_column_rows_and_examples() -> None:
    hours = [*HOURS["hour"][:-2], 77, 99]
    (found,) = broken(hour=hours)
    assert (found.rule, found.column, found.rows) == ("range", "hour", 2)
    assert found.examples == ("77 (row 98)", "99 (row 99)")
    assert str(found) == "hour: outside 0 to 23 (2 rows), for example 77 (row 98), 99 (row 99)"


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"hour": 4.5}, {"type"}),
        ({"hour": "late"}, {"type"}),
        ({"hour": math.inf}, {"type"}),
        ({"open": 1}, {"type"}),
        ({"shop": "north"}, {"category"}),
        ({"shop": None}, {"null"}),
        ({"id": 1}, {"unique"}),
        ({"extra": 1}, {"unknown-column"}),
        ({"price": [None, *HOURS["price"][1:]]}, {"null"}),
        ({"hour": HOURS["hour"].astype(float)}, set()),
        ({"price": 5}, set()),
    ],
    ids=str,
)
def test_each_rule_is_told(changes: dict[str, Any], rules: set[str]) -> None:
    assert {finding.rule for finding in broken(**changes)} == rules


def test_missing_columns_too_few_rows_and_old_data_are_told() -> None:
    schema = TableSchema(
        columns=(ColumnSchema("at", "timestamp"), ColumnSchema("x", "number")),
        min_rows=3,
        fresh_column="at",
        max_age_seconds=3600,
    )
    now = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
    table = pd.DataFrame({"at": pd.to_datetime(["2026-03-02T09:00:00Z"])})
    found = check(table, schema, now=now).findings
    assert [each.rule for each in found] == ["missing-column", "rows", "freshness"]
    assert "3.0 hours old" in found[-1].message
    assert (
        check(table, schema.without("x"), now=now - datetime.timedelta(hours=3)).findings[1:] == ()
    )


def test_a_report_stops_the_work_with_every_finding() -> None:
    with pytest.raises(FoundError) as error:
        check(HOURS.assign(hour=99, shop="north"), SCHEMA).require("table sales")
    assert len(error.value.findings) == 2


def test_schemas_are_kept_beside_the_data_in_versions_that_never_change(tmp_path: Path) -> None:
    keeper = SchemaKeeper(FolderFiles(tmp_path))
    assert keeper.keep("tables/sales.csv", SCHEMA) == 1
    assert keeper.keep("tables/sales.csv", SCHEMA) == 1
    changed = SCHEMA.without("open")
    assert keeper.keep("tables/sales.csv", changed) == 2
    assert keeper.read("tables/sales.csv") == (2, changed)
    assert keeper.read("tables/sales.csv", 1) == (1, SCHEMA)
    assert (tmp_path / "tables/sales.csv.schema/2.json").is_file()
    with pytest.raises(InputError, match="no schema of version 3"):
        keeper.read("tables/sales.csv", 3)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "columns": [{}]}']
)
def test_what_is_no_schema_is_told_with_its_place(text: str) -> None:
    with pytest.raises(InputError) as error:
        from_json(text, "s3://b/x.schema/1.json")
    assert error.value.where == "s3://b/x.schema/1.json"


def test_validators_are_found_by_name_or_refused_with_what_to_install() -> None:
    assert validator("builtin").check(HOURS, SCHEMA).ok
    with pytest.raises(MissingError, match="tensorflow-data-validation"):
        validator("tfdv")
    with pytest.raises(InputError, match="no such validator: 'great'"):
        validator("great")
