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
    """The top keys for `config:` of `Pulumi.yaml`, in the order of the model.

    Pulumi requires every declared key that has no default, and writes defaults into what the
    program reads. So optional sections default to an empty one, which counts as absent here, and a
    key whose default depends on another key is not declared at all.
    """
    schema = StackConfig.model_json_schema(by_alias=True)
    required = set(schema.get("required", []))
    keys: dict[str, dict[str, Any]] = {}
    for name, body in schema["properties"].items():
        if name in _DEPENDENT:
            continue
        kind = _TYPES.get(body.get("type", ""), "object")
        entry: dict[str, Any] = {"type": kind}
        if kind == "array":
            entry["items"] = {"type": _TYPES[body["items"]["type"]]}
        entry["description"] = body["description"].replace("\n", " ")
        if name not in required:
            entry["default"] = {} if kind == "object" else body["default"]
        keys[name] = entry
    return keys


_DEPENDENT = ("protect",)
