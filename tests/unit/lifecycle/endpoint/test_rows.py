"""Requests of an endpoint's container: whatever is sent becomes the model's table or a refusal."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.endpoint.app import kind_of, limits
from mlops_infra.lifecycle.endpoint.artefact import load
from mlops_infra.lifecycle.endpoint.rows import CSV, JSON, LINES, TYPES, table, written
from mlops_infra.lifecycle.gateway.core.checking import Refused
from mlops_infra.lifecycle.gateway.core.fields import fields_of

FIELDS = fields_of(
    [
        {"name": "hour", "type": "long", "required": True},
        {"name": "load", "type": "double", "required": True},
        {"name": "late", "type": "boolean", "required": True},
        {"name": "note", "type": "string", "required": False},
    ],
    {"hour": {"min": 0, "max": 23}},
)
LOAD = fields_of([{"name": "load", "type": "double"}], {})


def reasons(content: str, body: str) -> list[str]:
    with pytest.raises(Refused) as told:
        table(content, body.encode(), FIELDS)
    return [f"{each.field}: {each.reason}" for each in told.value.refusals]


def test_a_row_keeps_the_types_of_the_signature() -> None:
    made = table(CSV, b"7,1,true,ok\n8,2.5,FALSE,?\n", FIELDS)
    assert [str(kind) for kind in made.dtypes[:3]] == ["int64", "float64", "bool"]
    assert made["late"].tolist() == [True, False]
    rows = table(JSON, b'{"hour": 7, "load": 1, "late": false}', FIELDS)
    assert rows.loc[0, "load"] == 1.0
    assert rows["note"].isna().all()


def test_the_mistakes_of_the_field_notes_are_told() -> None:
    assert reasons(CSV, "77,1,true,x") == ["hour: 77 is above 23: 0 to 23 is allowed"]
    assert reasons(CSV, "7.5,1,true,x") == ["hour: '7.5' is not an integer"]
    assert reasons(JSON, '[{"hour": 7.5, "load": 1, "late": true}]') == [
        "hour: 7.5 is not an integer"
    ]
    assert reasons(CSV, "7,1,perhaps,x") == ["late: 'perhaps' is not BOOL"]


@pytest.mark.parametrize("content", TYPES)
@given(body=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_whatever_is_sent_is_a_table_or_a_refusal(content: str, body: bytes) -> None:
    try:
        made = table(content, body, FIELDS)
    except Refused:
        return
    assert list(made.columns) == [field.name for field in FIELDS]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(value=VALUES, key=st.sampled_from(["instances", "inputs", "hour", "x"]))
def test_every_json_is_a_table_or_a_refusal(value: Any, key: str) -> None:
    for body in (json.dumps(value), json.dumps({key: value}), json.dumps({key: [value]})):
        for content in (JSON, LINES):
            with contextlib.suppress(Refused):
                table(content, body.encode(), FIELDS)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_form_carries_the_same_numbers(numbers: list[float]) -> None:
    forms = {
        CSV: "\n".join(map(repr, numbers)),
        LINES: "\n".join(json.dumps({"load": each}) for each in numbers),
        JSON: json.dumps([[each] for each in numbers]),
    }
    for content, body in forms.items():
        assert table(content, body.encode(), LOAD)["load"].tolist() == numbers


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/csv; header=present", CSV),
        ("text/html, application/x-jsonlines", LINES),
        ("image/png", None),
    ],
)
def test_the_form_is_chosen_by_the_header(header: str | None, kind: str | None) -> None:
    assert kind_of(header) == kind


def test_answers_of_several_numbers_are_columns_of_csv() -> None:
    assert written(CSV, [[0.1, 0.9], [0.5, 0.5]]) == b"0.1,0.9\n0.5,0.5\n"


def test_a_wrong_limit_is_told_when_it_starts() -> None:
    assert limits({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "20"}).payload_bytes == 20 << 20
    with pytest.raises(InputError, match="SAGEMAKER_MAX_PAYLOAD_IN_MB is 'many'"):
        limits({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "many"})


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the folder has no files"):
        load(tmp_path)
