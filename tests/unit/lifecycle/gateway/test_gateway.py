from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.core.agreement import disagreement
from mlops_infra.lifecycle.gateway.core.breaker import FAILURES, REST_SECONDS, Breaker
from mlops_infra.lifecycle.gateway.core.checking import Refused, check, parsed
from mlops_infra.lifecycle.gateway.core.fields import fields_of
from mlops_infra.lifecycle.gateway.core.route import REVISION, Route, Target, of_json
from mlops_infra.lifecycle.gateway.core.splitting import chosen, place, prediction_id
from mlops_infra.lifecycle.gateway.core.table import Table
from mlops_infra.lifecycle.gateway.core.tokens import Tokens
from tests.unit.lifecycle.serving.fakes import FakeStore

COLUMNS = (
    {"type": "long", "name": "hour", "required": True},
    {"type": "double", "name": "load", "required": True},
    {"type": "string", "name": "kind", "required": False},
)
RANGES = {
    "hour": {"min": 0, "max": 23},
    "load": {"integer": True},
    "kind": {"values": ["a", "b"], "nullable": True},
}
FIELDS = fields_of(COLUMNS, RANGES)
TENSOR = fields_of([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}], {})


def column(name: str, data: list[Any], datatype: str = "INT64") -> dict[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data}


def refused(*inputs: Any, fields: Any = FIELDS) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        check({"inputs": list(inputs)}, fields)
    return [(each.field, each.reason) for each in caught.value.refusals]


GOOD = (column("hour", [0, 23]), column("load", [1, 2], "FP64"))


def test_good_requests_pass() -> None:
    check({"inputs": list(GOOD)}, FIELDS)
    check({"inputs": [*GOOD, column("kind", ["a", None], "BYTES")]}, FIELDS)
    check({"inputs": [column("x", [[1.0, 2.0]], "FP64") | {"shape": [1, 2]}]}, TENSOR)
    check({"inputs": [column("anything", [1])]}, ())


@pytest.mark.parametrize(
    ("inputs", "field", "reason"),
    [
        ([column("hour", [7, 77]), GOOD[1]], "hour", "77 is above 23: 0 to 23 is allowed"),
        ([column("hour", [-1, 3]), GOOD[1]], "hour", "-1 is below 0: 0 to 23 is allowed"),
        ([column("hour", [1.5, 3]), GOOD[1]], "hour", "1.5 is not an integer"),
        ([column("hour", [True, 3]), GOOD[1]], "hour", "True is not an integer"),
        ([column("hour", [None, 3]), GOOD[1]], "hour", "it is missing"),
        ([column("hour", ["7", 3]), GOOD[1]], "hour", "'7' is not an integer"),
        ([column("hour", [7.0, 3.0], "FP64"), GOOD[1]], "hour", "FP64 cannot carry long"),
        ([GOOD[0], column("load", [1.5, 2.0], "FP64")], "load", "1.5 is not an integer"),
        ([GOOD[0]], "load", "it is missing"),
        ([*GOOD, column("new", [1, 2])], "new", "unknown input"),
        ([*GOOD, column("kind", ["a", "z"], "BYTES")], "kind", "'z' is not one of a, b"),
        ([*GOOD, GOOD[0]], "hour", "it is duplicated"),
        ([column("hour", [1]), GOOD[1]], "hour", "inputs differ in rows"),
        ([GOOD[0] | {"shape": [3]}, GOOD[1]], "hour", "shape [3] needs 3 values, not 2"),
        ([GOOD[0] | {"shape": [1, 2]}, GOOD[1]], "hour", "shape [1, 2] does not fit"),
        ([GOOD[0] | {"datatype": "INT7"}, GOOD[1]], "hour", "datatype 'INT7'"),
        ([GOOD[0] | {"data": "AAA="}, GOOD[1]], "hour", "data must be a list"),
        ([{"shape": [1]}], "inputs[0]", "it has no name"),
        (["text"], "inputs[0]", "it has no name"),
    ],
)
def test_what_is_wrong_is_refused_with_field_and_reason(
    inputs: list[Any], field: str, reason: str
) -> None:
    told = refused(*inputs)
    assert any(name == field and reason in why for name, why in told), told


def test_a_tensor_of_another_shape_or_type_is_refused() -> None:
    wide = column("x", [1.0, 2.0, 3.0], "FP64") | {"shape": [1, 3]}
    assert "does not fit [-1, 2]" in refused(wide, fields=TENSOR)[0][1]
    assert (
        "FP32 cannot carry float64"
        in refused(column("x", [1.0, 2.0], "FP32") | {"shape": [1, 2]}, fields=TENSOR)[0][1]
    )


def test_the_row_and_the_value_are_told() -> None:
    with pytest.raises(Refused, match=r"hour \(row 1\): 77 is above 23") as caught:
        check({"inputs": [column("hour", [7, 77]), GOOD[1]]}, FIELDS)
    assert caught.value.refusals[0].as_dict() == {
        "field": "hour",
        "row": 1,
        "value": 77,
        "reason": "77 is above 23: 0 to 23 is allowed",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_no_json_of_any_form_crashes_the_check(document: Any) -> None:
    for candidate in (document, {"inputs": document}, {"inputs": [document]}):
        try:
            check(parsed(json.dumps(candidate).encode()), FIELDS)
        except Refused:
            continue


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(["hour", "load", "kind"]),
                "datatype": st.sampled_from(["INT64", "FP64", "BYTES", "BOOL"]),
                "shape": st.lists(st.integers(0, 3), min_size=1, max_size=2),
                "data": st.lists(JSON, max_size=3),
            }
        ),
        max_size=3,
    )
)
def test_what_passes_is_within_its_ranges(inputs: list[dict[str, Any]]) -> None:
    try:
        check({"inputs": inputs}, FIELDS)
    except Refused:
        return
    for each in inputs:
        if each["name"] == "hour":
            assert all(type(v) is int and 0 <= v <= 23 for v in each["data"])


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        parsed(body)


def target(version: str, **more: Any) -> Target:
    return Target(version, f"http://wine-{version}", f"wine-{version}", f"wine-{version}", **more)


def test_a_route_survives_its_json() -> None:
    one = Route("demo", "wine", target("1", inputs=COLUMNS, ranges=RANGES), target("2"), 0.1)
    assert of_json(one.key, one.to_json()) == one
    with pytest.raises(OperationFailed, match="format 9"):
        of_json(one.key, one.to_json().replace('"format": 1', '"format": 9'))


@given(st.text(min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_growing_share_never_takes_a_key_back(key: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    routes = [Route("demo", "wine", target("1"), target("2"), share) for share in (small, large)]
    roles = [chosen(route, key) for route in routes]
    assert roles != ["challenger", "champion"]


def test_the_share_is_the_share() -> None:
    route = Route("demo", "wine", target("1"), target("2"), 0.1)
    asked = [chosen(route, f"user-{number}") for number in range(20_000)]
    assert math.isclose(asked.count("challenger") / len(asked), 0.1, abs_tol=0.01)
    assert place(route, "user-1") == place(route, "user-1")


def test_prediction_ids_grow_with_time() -> None:
    made = [prediction_id() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(number[14] == "7" for number in made)
    assert made[0][:8] <= made[-1][:8]


def test_the_circuit_opens_rests_and_tries_one() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        assert breaker.admit()
        breaker.failed()
    assert breaker.open
    assert not breaker.admit()
    now[0] += REST_SECONDS + 0.1
    assert breaker.admit(), "one goes on trial"
    assert not breaker.admit(), "and no other meanwhile"
    breaker.failed()
    assert not breaker.admit(), "it failed: another rest"
    now[0] += REST_SECONDS + 0.1
    assert breaker.admit()
    breaker.succeeded()
    assert breaker.admit()
    assert breaker.admit()


def test_routes_are_read_again_when_they_change_and_survive_a_bad_one() -> None:
    store = FakeStore()
    table = Table(store)
    route = Route("demo", "wine", target("1"))
    store.put({route.key: route.to_json()}, count=REVISION)
    assert table.refresh()
    assert not table.refresh(), "nothing changed"
    other = Route("demo", "bikes", target("1"))
    store.put({other.key: other.to_json(), route.key: "broken"}, count=REVISION)
    assert table.refresh()
    wine, bikes = table.get("demo", "wine"), table.get("demo", "bikes")
    assert wine is not None
    assert bikes is not None
    assert wine.route == route, "its last good form serves on"
    store.drop([route.key], count=REVISION)
    table.refresh()
    assert table.get("demo", "wine") is None


def test_only_the_tenants_own_token_opens(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("secret\n")
    (tmp_path / "..data").mkdir()
    (tmp_path / "empty").write_text("")
    tokens = Tokens(tmp_path)
    assert tokens.admits("demo", "Bearer secret")
    assert not tokens.admits("demo", "bearer")
    assert not tokens.admits("demo", "Basic secret")
    assert not tokens.admits("demo", None)
    for tenant in ("other", "..data", "..", "empty", "demo/../demo", "a\0b"):
        assert not tokens.admits(tenant, "Bearer secret")
        assert not tokens.admits(tenant, "Bearer ")


def test_a_token_that_cannot_be_read_for_a_while_still_opens(tmp_path: Path) -> None:
    now = [0.0]
    (tmp_path / "demo").write_text("secret")
    tokens = Tokens(tmp_path, lambda: now[0])
    assert tokens.admits("demo", "Bearer secret")
    (tmp_path / "demo").unlink()
    (tmp_path / "demo").mkdir()
    now[0] += 60
    assert tokens.admits("demo", "Bearer secret")
    assert not tokens.admits("demo", "Bearer other")


def output(data: list[Any], shape: list[int]) -> dict[str, Any]:
    return {"outputs": [{"name": "y", "shape": shape, "data": data}]}


@pytest.mark.parametrize(
    ("ours", "theirs", "share"),
    [
        (output([1, 2], [2]), output([1, 3], [2]), 0.5),
        (output([1.0, 2.0], [2]), output([1.05, 2.0], [2]), 0.0),
        (output([1.0, 2.0], [2]), output([1.5, 2.0], [2]), 0.5),
        (output([0.9, 0.1, 0.2, 0.8], [2, 2]), output([0.6, 0.4, 0.7, 0.3], [2, 2]), 0.5),
        (output(["a"], [1]), output(["a"], [1]), 0.0),
        (output([1], [1]), output([1, 2], [2]), 1.0),
        (output([1], [1]), {"outputs": "broken"}, 1.0),
    ],
)
def test_disagreement_is_a_share_of_rows(
    ours: dict[str, Any], theirs: dict[str, Any], share: float
) -> None:
    assert disagreement(ours, theirs) == share
