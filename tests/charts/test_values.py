"""Values: the schemas are sound, agree with the defaults and refuse what would not work."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from mlops_infra.config import stack_file
from scripts.chart_schemas import LIBRARY
from tests.charts.rendering import (
    CASES,
    CHARTS,
    FOLDERS,
    NAMES,
    STACKS,
    Manifest,
    RefusedError,
    both,
    defaults,
    helm,
    text,
)

_EVERYWHERE: list[tuple[str, Manifest, str]] = [
    ("", {"replicaCount": 3}, "replicaCount"),
    ("images", {"images": {"sidecar": "docker.io/x/y:1"}}, "sidecar"),
    ("runAs", {"runAs": {"user": 0}}, "user"),
    ("service", {"service": {"type": "ExternalName"}}, "type"),
    ("service", {"service": {"nodePort": 99999}}, "nodePort"),
    ("resources", {"resources": {"limits": {"memory": "much"}}}, "memory"),
    ("resources", {"resources": {"limits": {"cpu": None}}}, "cpu"),
    ("commonLabels", {"commonLabels": {"a": "not a label!"}}, "commonLabels"),
    ("networkPolicy", {"networkPolicy": {"clients": [{"pod": "x"}]}}, "clients"),
]
"""Refused by every chart that has the key."""


def _refused() -> list[tuple[str, Manifest, str]]:
    found = []
    for chart in NAMES:
        known = {"": {}, **defaults(chart)}
        found += [(chart, values, word) for key, values, word in _EVERYWHERE if key in known]
        for role in known.get("images", {}):
            for wrong in ("docker.io/library/x:latest", "postgres:17", ""):
                found.append((chart, {"images": {role: wrong}}, "images"))
        if "secret" in known.get("auth", {}):
            found.append((chart, {"auth": {"secret": "Has Spaces"}}, "secret"))
        found += [(chart, values, word) for values, word in CASES[chart].refused]
    return found


@pytest.mark.parametrize(("chart", "values", "named"), _refused(), ids=str)
def test_wrong_values_are_refused_by_name(chart: str, values: Manifest, named: str) -> None:
    with pytest.raises(RefusedError, match=named):
        text(chart, both(CASES[chart].values, values))


@pytest.mark.parametrize("chart", NAMES)
def test_helm_lint_has_nothing_to_say(chart: str) -> None:
    assert "0 chart(s) failed" in helm(
        "lint", "--strict", str(CHARTS / chart), values=CASES[chart].values
    )


def _schema(chart: str) -> Any:
    return json.loads((CHARTS / chart / "values.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("chart", NAMES)
def test_schemas_are_sound_closed_and_know_every_default(chart: str) -> None:
    schema = _schema(chart)
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(defaults(chart), schema, jsonschema.Draft7Validator)
    assert set(schema["properties"]) == {*defaults(chart), LIBRARY}
    for path, inner in _objects(schema, ""):
        closed = inner.get("additionalProperties") is False
        free = isinstance(inner.get("additionalProperties"), dict) and "properties" not in inner
        opaque = path.endswith(("/affinity", "/tolerations/items"))
        assert closed or free or opaque, path


def _objects(schema: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(schema, list):
        return [found for each in schema for found in _objects(each, path)]
    if not isinstance(schema, dict):
        return []
    own = [(path, schema)] if schema.get("type") == "object" else []
    return own + [
        found for key, each in schema.items() for found in _objects(each, f"{path}/{key}")
    ]


def test_the_example_stacks_are_all_here() -> None:
    found = {file.stem.removeprefix("Pulumi.") for file in stack_file("sandbox").parent.glob("P*")}
    assert {name for name in found if not name.startswith("aws")} == set(STACKS)


def test_every_chart_has_its_case() -> None:
    assert set(FOLDERS) == set(CASES)
