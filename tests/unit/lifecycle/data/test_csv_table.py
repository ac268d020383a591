"""CSV files as people and other programs write them: read as written, noted, or refused."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data.csv_table import each, from_csv, noted

ROWS = 12


def column(*cells: str, name: str = "x") -> tuple[pd.Series, tuple[str, ...]]:
    """A column of these cells, repeated, beside another one."""
    lines = [f"{cells[n % len(cells)]},{n % 3}" for n in range(ROWS)]
    frame, notes = noted("\n".join([f"{name},other", *lines]).encode(), "t.csv")
    return frame[name], notes


@pytest.mark.parametrize("word", ["NA", "null", "None", "nan", "N/A", "-", "", "n/a", "NULL"])
def test_only_an_empty_cell_is_a_gap(word: str) -> None:
    read, _ = column(word, "KR")
    assert read.isna().sum() == (ROWS // 2 if word == "" else 0)
    assert read.dropna().isin({word, "KR"}).all()


@pytest.mark.parametrize(
    ("cells", "kind", "note"),
    [
        (("1", "2", "3"), "int64", None),
        (("1", "", "3"), "float64", None),
        (("0.1", "-2e-3", "5"), "float64", None),
        (("0", "10", "-3"), "int64", None),
        (("True", "False"), "bool", None),
        (("06236", "12345"), "object", "has leading zeros, for example '06236'"),
        (('"007"', '"008"'), "object", "has leading zeros"),
        (("12.3%", "4 %"), "object", "has percentages, for example '12.3%'"),
        (('"25,000"', '"1,234,567"'), "object", "has numbers with separators"),
        (("₩3000", "₩50"), "object", "has amounts of money"),
        (("2024-01-05", "2023-12-31 10:00"), "object", "has dates"),
        (("2024년 1월 5일", "2024년 12월 31일"), "object", "has dates"),
        (('"1,5"', '"20,25"'), "object", "has numbers with a decimal comma"),
        (("1", "2", "NA"), "object", "other cells, for example 'NA' (row 2)"),
        (("9007199254740993", ""), "object", "more digits than are kept"),
        (("9007199254740993", "1"), "int64", None),
        (("99999999999999999999999", "1"), "object", "too long"),
        (("1.5e300", "2e300"), "float64", None),
        (tuple(f"a{n}" for n in range(ROWS)), "object", "another value in each row"),
        (tuple(str(n + 7) for n in range(ROWS)), "int64", "numbers the rows, from 7"),
        (("서울", "부산"), "object", None),
    ],
)
def test_a_column_is_read_as_it_is_written(
    cells: tuple[str, ...], kind: str, note: str | None
) -> None:
    read, notes = column(*cells, name="점수")
    assert str(read.dtype) == kind
    if note is None:
        assert notes == ()
    else:
        (told,) = notes
        assert note in told
        assert "column '점수'" in told
    if kind == "object":
        assert set(read.dropna()) == {next(csv.reader([cell]))[0] for cell in cells if cell}


KOREAN = "지역,나이\n서울,31\n부산,28\n"


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (KOREAN.encode("cp949"), "read as CP949"),
        (KOREAN.encode("utf-16"), "read as UTF-16"),
        (b"\xfe\xff" + KOREAN.encode("utf-16-be"), "read as UTF-16"),
        (KOREAN.encode("utf-8-sig"), None),
        (KOREAN.replace("\n", "\r\n").encode(), None),
    ],
)
def test_a_file_may_come_from_another_program(body: bytes, note: str | None) -> None:
    frame, notes = noted(body, "t.csv")
    assert frame.to_dict("list") == {"지역": ["서울", "부산"], "나이": [31, 28]}
    assert [note in told for told in notes if note] == ([True] if note else [])


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("Stadt;Größe\nKöln;3\n".encode("latin-1"), "byte 0xf6 in line 1; neither UTF-8"),
        ("名前,都市\n太郎,東京\n".encode("shift-jis"), "the encoding of the file is not known"),
        ("姓名,城市\n张伟,北京\n".encode("gbk"), "the encoding of the file is not known"),
        (KOREAN.encode("utf-16-le"), "the encoding of the file is not known"),
        (b"a;b\n1;2\n", "separated by semicolons"),
        (b"a\tb\n1\t2\n", "separated by tabs"),
        (b"a,b\n1,2,3\n4,5,6\n", "more cells than the heading"),
        (b"a,b\n1,2\n3,4,5\n", "not a CSV file"),
        (b"a,a\n1,2\n", "column 'a' is duplicated"),
        (b"\n\n", "it is empty"),
        (b"", "it is empty"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(body: bytes, what: str) -> None:
    with pytest.raises(InputError) as told:
        from_csv(body, "t.csv")
    assert what in told.value.what
    assert told.value.where == "t.csv"


def test_parts_of_a_table_agree_about_texts() -> None:
    (one, two, empty), notes = each(
        [(b"zip,n\n01234,1\n", "a"), (b"zip,n\n12345,2.5\n", "b"), (b"zip,n\n,3\n", "c")]
    )
    assert (list(one["zip"]), list(two["zip"])) == (["01234"], ["12345"])
    assert two["n"].tolist() == [2.5]
    assert empty["zip"].isna().all()
    assert notes == ()


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@settings(max_examples=60)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=8))
def test_any_text_comes_back_or_is_a_number(rows: list[list[str]]) -> None:
    body = io.StringIO()
    writer = csv.writer(body, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    frame = from_csv(body.getvalue().encode(), "t.csv")
    assert len(frame) == len(rows)
    for number, name in enumerate(("a", "b")):
        for given_, found in zip((row[number] for row in rows), frame[name], strict=True):
            if given_ == "":
                assert pd.isna(found)
            elif isinstance(found, str):
                assert found == given_
            else:
                assert str(found).lower() == given_.strip().lower() or float(found) == float(given_)


@settings(max_examples=60)
@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_a_table_or_an_input_error(body: bytes) -> None:
    with suppress(InputError):
        frame, _ = noted(body, "t.csv")
        assert len(frame.columns) >= 1
