"""Values: the schemas are sound, agree with the defaults and refuse what would not work."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from mlops_infra.config import stack_file
from tests.charts.rendering import (
    CHARTS,
    NAMES,
    STACKS,
    Manifest,
    RefusedError,
    defaults,
    helm,
    text,
)

REFUSED: list[tuple[str, Manifest, str]] = [
    *[(chart, {"replicaCount": 3}, "replicaCount") for chart in NAMES],
    *[(chart, {"images": {"server": "docker.io/library/x:latest"}}, "images") for chart in NAMES],
    *[(chart, {"images": {"server": "postgres:17"}}, "images") for chart in NAMES],
    *[(chart, {"images": {"server": ""}}, "images") for chart in NAMES],
    *[(chart, {"images": {"sidecar": "docker.io/x/y:1"}}, "sidecar") for chart in NAMES],
    *[(chart, {"runAs": {"user": 0}}, "user") for chart in NAMES],
    *[(chart, {"service": {"type": "ExternalName"}}, "type") for chart in NAMES],
    *[(chart, {"service": {"nodePort": 99999}}, "nodePort") for chart in NAMES],
    *[(chart, {"resources": {"limits": {"memory": "much"}}}, "memory") for chart in NAMES],
    *[(chart, {"resources": {"limits": {"cpu": None}}}, "cpu") for chart in NAMES],
    *[(chart, {"commonLabels": {"a": "not a label!"}}, "commonLabels") for chart in NAMES],
    *[(chart, {"networkPolicy": {"clients": [{"pod": "x"}]}}, "clients") for chart in NAMES],
    *[(chart, {"auth": {"secret": "Has Spaces"}}, "secret") for chart in NAMES],
    ("postgresql", {"auth": {"password": "plain"}}, "password"),
    ("postgresql", {"databases": [{"name": "x", "password": "y"}]}, "databases"),
    ("postgresql", {"databases": [{"secret": "a"}, {"secret": "a"}]}, "databases"),
    ("postgresql", {"settings": {"listen_addresses": "*"}}, "listen_addresses"),
    ("postgresql", {"settings": {"work_mem": "1MB'\nhba_file = 'x"}}, "work_mem"),
    ("postgresql", {"persistence": {"size": "big"}}, "size"),
    ("valkey", {"maxmemory": "half"}, "maxmemory"),
    ("valkey", {"maxmemoryPolicy": "never"}, "maxmemoryPolicy"),
    ("mlflow", {"database": {"password": "plain"}}, "password"),
    ("mlflow", {"objectStore": {"endpoint": "http://key:secret@host"}}, "endpoint"),
    ("mlflow", {"objectStore": {"bucket": "No_Bucket"}}, "bucket"),
    ("mlflow", {"workers": 0}, "workers"),
    ("mlflow", {"allowedHosts": ["a,b"]}, "allowedHosts"),
    ("mlflow", {"allowedHosts": ["{node}"]}, "allowedHosts"),
]


@pytest.mark.parametrize(("chart", "values", "named"), REFUSED, ids=str)
def test_wrong_values_are_refused_by_name(chart: str, values: Manifest, named: str) -> None:
    with pytest.raises(RefusedError, match=named):
        text(chart, values)


@pytest.mark.parametrize("chart", NAMES)
def test_helm_lint_has_nothing_to_say(chart: str) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHARTS / chart))


def _schema(chart: str) -> Any:
    return json.loads((CHARTS / chart / "values.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("chart", NAMES)
def test_schemas_are_sound_closed_and_know_every_default(chart: str) -> None:
    schema = _schema(chart)
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(defaults(chart), schema, jsonschema.Draft7Validator)
    assert set(schema["properties"]) == set(defaults(chart))
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


def test_charts_share_their_common_parts() -> None:
    """Without a library chart, which would need `helm dependency build`, copies must stay equal."""
    copies = {(CHARTS / name / "templates" / "_house.tpl").read_bytes() for name in NAMES}
    assert len(copies) == 1
    for shared in ("images", "service", "resources", "runAs", "commonLabels", "podLabels"):
        assert len({json.dumps(_schema(name)["properties"][shared]) for name in NAMES}) == 1
    for name in ("peer", "resources", "image"):
        assert len({json.dumps(_schema(chart)["$defs"][name]) for chart in NAMES}) == 1


def test_the_example_stacks_are_all_here() -> None:
    found = {file.stem.removeprefix("Pulumi.") for file in stack_file("sandbox").parent.glob("P*")}
    assert {name for name in found if not name.startswith("aws")} == set(STACKS)


def test_charts_need_no_other_chart() -> None:
    for name in NAMES:
        assert not (CHARTS / name / "charts").exists()
        assert "dependencies" not in (CHARTS / name / "Chart.yaml").read_text("utf-8")
