"""A table that one step returns is the table that the next one gets, or it is refused by name."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data.parquet import from_parquet, to_parquet


def series(*cells: Any) -> pd.Series:
    return pd.Series(list(cells), dtype=object)


KEPT = {
    "plain": pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, None], "d": [True, False]}),
    "numbered columns": pd.DataFrame(np.ones((2, 3))),
    "named columns": pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="feature")),
    "levels of columns": pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_tuples([(1, 2), (1, 3)])
    ),
    "an index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="a")),
    "a shuffled index": pd.DataFrame({"a": [1, 2, 3]}, index=[5, 3, 4]),
    "times as index": pd.DataFrame(
        {"a": [1, 2]}, index=pd.to_datetime(["2024-01-01", "2023-01-01"])
    ),
    "levels of an index": pd.DataFrame(
        {"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None])
    ),
    "integers as objects": pd.DataFrame({"a": series(1, None), "b": series(2, 3)}),
    "truth with gaps": pd.DataFrame({"a": series(True, None)}),
    "lists": pd.DataFrame({"a": series(["x", "y"], []), "b": series([[1]], None)}),
    "decimals": pd.DataFrame({"a": series(decimal.Decimal("1.10"), decimal.Decimal(2))}),
    "dates": pd.DataFrame({"a": series(datetime.date(2024, 1, 1), None)}),
    "moments": pd.DataFrame({"a": series(datetime.datetime(2024, 1, 1, 5), None)}),
    "categories": pd.DataFrame({"a": pd.Categorical(["x", "y"], ["y", "x", "z"], ordered=True)}),
    "nullable": pd.DataFrame(
        {"a": pd.array([1, None], "Int64"), "b": pd.array(["x", None], "string")}
    ),
    "seconds": pd.DataFrame({"a": np.array(["2024-01-01"], dtype="datetime64[s]")}),
    "a time zone": pd.DataFrame({"a": pd.to_datetime(["2024-01-01"]).tz_localize("Asia/Seoul")}),
    "small numbers": pd.DataFrame({"a": np.array([1], "uint8"), "b": np.array([1], "float16")}),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype=object), "b": pd.Series([], dtype="int32")}),
}


@pytest.mark.parametrize("frame", KEPT.values(), ids=KEPT)
def test_a_table_keeps_its_index_its_columns_and_their_types(frame: pd.DataFrame) -> None:
    again = from_parquet(to_parquet(frame), "t")
    pd.testing.assert_frame_equal(frame, again, check_index_type="equiv", check_column_type="equiv")
    for name in frame.columns:
        if frame[name].dtype == object:
            assert [type(c) for c in frame[name]] == [type(c) for c in again[name]]


REFUSED = [
    (
        pd.DataFrame({"mixed": [1, "x"]}),
        "'mixed' of the table has int (row 0) and str (row 1)",
        None,
    ),
    (pd.DataFrame({"m": series("x", b"x")}), "has str (row 0) and bytes (row 1)", None),
    (pd.DataFrame({"m": series(1, True)}), "has int (row 0) and bool (row 1)", None),
    (
        pd.DataFrame({"d": series(None, {"x": 1})}),
        "'d' of the table has dict (row 1)",
        "json.dumps",
    ),
    (pd.DataFrame({"t": series((1, 2))}), "'t' of the table has tuple (row 0)", "lists"),
    (pd.DataFrame({"c": [1j]}), "column 'c' of the table (complex128) cannot be kept", None),
    (pd.DataFrame({"big": [2**70]}), "column 'big' of the table", None),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns of the table are called 'a'", None),
    (pd.DataFrame([[1, 2]], columns=[1, "1"]), "of several types: int, str", "str(name)"),
    (pd.DataFrame({"a": [1, 2]}, index=[1, "x"]), "the index of the table", "reset_index"),
]


@pytest.mark.parametrize(("frame", "what", "hint"), REFUSED)
def test_what_would_come_back_as_something_else_is_refused_by_name(
    frame: pd.DataFrame, what: str, hint: str | None
) -> None:
    with pytest.raises(InputError) as told:
        to_parquet(frame)
    assert what in told.value.what
    assert (hint or "") in str(told.value.hint)


CELL = st.one_of(
    *(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=4),
        st.binary(max_size=2),
    ),
    *(
        st.lists(st.integers(0, 9), max_size=2),
        st.dates(),
        st.datetimes(),
        st.decimals(allow_nan=False),
    ),
    st.dictionaries(st.text(max_size=1), st.integers(0, 9), max_size=1),
)


@settings(max_examples=80)
@given(st.lists(CELL, max_size=5))
def test_any_cells_come_back_as_they_are_or_are_refused(cells: list[Any]) -> None:
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
    try:
        again = from_parquet(to_parquet(frame), "t")
    except InputError:
        return
    assert again["a"].dtype == object
    for old, new in zip(cells, again["a"], strict=True):
        gap = old is None or old != old
        assert (new is None or new != new) if gap else new == old
