"""JSON Schema for editors, and the keys for `Pulumi.yaml`."""

from __future__ import annotations

from typing import Any

from mlops_infra.config.stack import StackConfig

_TYPES = {"string": "string", "boolean": "boolean", "integer": "integer", "array": "array"}
SCHEMA_ID = "https://mlops-infra.dev/schema/stack.json"


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a whole stack file, `config:` and namespace included."""
    body = StackConfig.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    definitions = body.pop("$defs", {})
    keys = {f"mlops-infra:{key}": value for key, value in body.get("properties", {}).items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Stack file of mlops-infra (Pulumi.<stack>.yaml)",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "required": [f"mlops-infra:{key}" for key in body.get("required", [])],
                "properties": keys,
                "patternProperties": {"^pulumi:": {}},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }


def pulumi_schema() -> dict[str, dict[str, Any]]:
    """The top keys for `config:` of `Pulumi.yaml`.

    No defaults: Pulumi would hand them to the program as if the file had them, and a key is
    required there as soon as it has a type and no default. So only required keys stand there with
    nothing else, and all others get the default that means absent.
    """
    schema = StackConfig.model_json_schema(by_alias=True)
    required = set(schema.get("required", []))
    keys: dict[str, dict[str, Any]] = {}
    for name, body in schema["properties"].items():
        kind = _kind(body)
        entry: dict[str, Any] = {"type": kind, "description": body.get("description", "")}
        if name not in required:
            entry["default"] = body.get("default", {} if kind == "object" else None)
        keys[name] = entry
    return keys


def _kind(body: dict[str, Any]) -> str:
    return _TYPES.get(body.get("type", ""), "object")
