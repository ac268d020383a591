"""How a chart's schema is put together of the shared part, its values and its own part."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from scripts.chart_schemas import SchemaError, compose

SHARED: dict[str, Any] = {
    "$defs": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "image": {"type": "string"},
        "unused": {"type": "null"},
    },
    "properties": {
        "auth": {
            "properties": {"secret": {"$ref": "#/$defs/name"}, "revision": {"type": "string"}},
            "required": ["secret", "revision"],
        },
        "labels": {"$ref": "#/$defs/name"},
    },
}
VALUES: dict[str, Any] = {"auth": {"secret": "x"}, "images": {"server": "r/x:1"}, "size": 1}


def schema(values: dict[str, Any] = VALUES, **properties: Any) -> dict[str, Any]:
    own = {"size": {"type": "integer"}, **properties}
    return compose("demo", SHARED, values, {"required": ["auth"], "properties": own})


def accepted(given: dict[str, Any], by: dict[str, Any]) -> bool:
    return jsonschema.Draft7Validator(by).is_valid(given)


def test_a_chart_gets_of_a_shared_value_what_its_own_values_have() -> None:
    assert accepted(VALUES, by=schema())
    assert not accepted({"auth": {"secret": "x", "revision": "1"}}, by=schema())
    assert not accepted({"auth": {"secret": "Not a name"}}, by=schema())
    assert list(schema()["$defs"]) == ["image", "name"]


def test_the_own_part_is_laid_over_the_shared_one() -> None:
    wider = schema(auth={"properties": {"user": {"type": "string"}}, "required": ["user"]})
    assert accepted({"auth": {"user": "a"}}, by=wider)
    assert not accepted({"auth": {"secret": "x"}}, by=wider)
    assert not accepted({"auth": {"user": "a", "secret": 1}}, by=wider)


def test_a_shared_reference_is_replaced_as_a_whole() -> None:
    values = {**VALUES, "labels": {}}
    assert accepted(
        {"auth": {"secret": "x"}, "labels": {}}, by=schema(values, labels={"type": "object"})
    )


@pytest.mark.parametrize(
    "given", [{"other": 1}, {"auth": {"secret": "x", "other": 1}}, {"base": {"other": 1}}]
)
def test_an_object_that_names_its_keys_takes_no_others(given: dict[str, Any]) -> None:
    assert not accepted({**VALUES, **given}, by=schema())


def test_helm_puts_the_values_of_the_library_beside_those_of_the_chart() -> None:
    assert accepted({**VALUES, "base": {"global": {}}}, by=schema())


def test_a_value_without_a_description_is_an_error_and_so_is_the_reverse() -> None:
    with pytest.raises(SchemaError, match=r"demo: .*describes the key extra"):
        schema({**VALUES, "extra": 1})
    with pytest.raises(SchemaError, match=r"demo: values\.yaml has no key gone"):
        schema(gone={"type": "string"})
