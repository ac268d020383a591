"""Writes `values.schema.json` of every chart: `make docs`.

A chart's schema is made of three files:

* `charts/_library/values.schema.yaml`, the shared part: `$defs`, and `properties` that many charts
  take. Of such an object a chart gets those keys that its own values have.
* the chart's `values.yaml`: its keys are the keys of the schema, and `images` its images.
* the chart's `values.schema.yaml`, its own part: what is `required`, and `properties` that are laid
  over the shared ones, key by key; a list or a reference is replaced as a whole.

An object that names its properties takes no others; neither part has to say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).resolve().parents[1] / "charts"
SHARED = "values.schema.yaml"
LIBRARY = "base"
"""Name of the library chart; Helm puts its values, of which there are none, among a chart's."""

Schema = dict[str, Any]


class SchemaError(Exception):
    """The parts of a schema do not fit each other; the message names chart and key."""


def generated() -> dict[Path, str]:
    """File and text of every chart's schema.

    Raises:
        SchemaError: the parts of one do not fit each other.
    """
    shared = _read(CHARTS / "_library" / SHARED)
    folders = sorted(file.parent for file in CHARTS.glob("*/Chart.yaml"))
    return {
        folder / "values.schema.json": text(
            compose(folder.name, shared, _read(folder / "values.yaml"), _read(folder / SHARED))
        )
        for folder in folders
    }


def compose(chart: str, shared: Schema, values: Schema, own: Schema) -> Schema:
    """The schema of a chart.

    Raises:
        SchemaError: a value is described by neither part, or a described one does not exist.
    """
    described = own.get("properties", {})
    if gone := described.keys() - values.keys():
        raise SchemaError(f"{chart}: values.yaml has no key {', '.join(sorted(gone))}")
    known = {**shared["properties"], "images": _images(values.get("images", {}))}
    properties = {}
    for key, value in values.items():
        if key not in known and key not in described:
            raise SchemaError(f"{chart}: neither {SHARED} describes the key {key}")
        taken = _taken(known[key], value) if key in known else {}
        properties[key] = _closed(_merged(taken, described[key]) if key in described else taken)
    properties[LIBRARY] = _closed({"properties": {"global": {"properties": {}}}})
    definitions = {**shared["$defs"], **own.get("$defs", {})}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": f"Written by `make docs` from {SHARED}, here and in charts/_library",
        "title": f"Values of the chart {chart}",
        **_closed({"required": own["required"], "properties": properties}),
        "$defs": {name: _closed(definitions[name]) for name in _used(properties, definitions)},
    }


def text(schema: Schema) -> str:
    """The schema as JSON with one property or definition a line."""
    lines = []
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            inner = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _read(file: Path) -> Schema:
    loaded: Schema = yaml.safe_load(file.read_text("utf-8"))
    return loaded


def _images(images: Schema) -> Schema:
    roles = {role: {"$ref": "#/$defs/image"} for role in images}
    return {"properties": roles, "required": list(roles)}


def _taken(shared: Schema, value: Any) -> Schema:
    """Of an object's shared definition, what says something about the keys of `value`."""
    if "properties" not in shared:
        return shared
    kept = {key: each for key, each in shared["properties"].items() if key in value}
    required = [key for key in shared.get("required", ()) if key in kept]
    return {**shared, "properties": kept, "required": required}


def _merged(under: Any, over: Any) -> Any:
    mergeable = isinstance(under, dict) and isinstance(over, dict) and "$ref" not in {*under, *over}
    if not mergeable:
        return over
    return {
        **under,
        **{
            key: _merged(under[key], value) if key in under else value
            for key, value in over.items()
        },
    }


def _closed(schema: Any) -> Any:
    """With every object that names its properties closed for others, at any depth."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "$ref" not in schema:
        return {"type": "object", "additionalProperties": False, **inner}
    return inner


def _used(schema: Any, definitions: Schema) -> list[str]:
    """Names of the definitions that `schema` refers to, those of definitions included; sorted."""
    found: set[str] = set()
    left = set(_referred(schema))
    while left:
        found |= left
        left = {name for each in left for name in _referred(definitions[each])} - found
    return sorted(found)


def _referred(schema: Any) -> Iterator[str]:
    yield from re.findall(r'"#/\$defs/([A-Za-z]+)"', json.dumps(schema))
