"""The reference page of the configuration, written from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlops_infra.config.stack import StackConfig

_HEAD = """\
# Configuration of a stack

<!-- Written by tests/unit/config/test_generated.py from the models; a test compares. -->

A stack's file `stacks/Pulumi.<stack>.yaml` is ordinary Pulumi configuration: every top key is
below `config:`, in the namespace `mlops-infra:`. An unknown key is an error. Numbers, booleans and
text are distinct types; text that looks like a number needs quotes.

```yaml
config:
  mlops-infra:profile: onprem
  mlops-infra:environment: sandbox
  mlops-infra:cluster:
    embedded: true
```

`mlops-infra check -s STACK` reports all mistakes at once, `--effective` shows the defaults of all
missing keys, `--schema` prints the JSON Schema for editors (`config.schema.json` beside this page).

Defaults that depend on another key: `protect` is true unless `policy` is dev; in an embedded
cluster `cluster.expose` is nodePort, `cluster.crds` is purge, `cluster.kubernetes` is that of the
pinned binaries and `network.images.default` is built.
"""


def reference() -> str:
    """The whole page as Markdown."""
    schema = StackConfig.model_json_schema(by_alias=True)
    lines = [_HEAD, "## Top keys", "", *_table(schema)]
    for name, body in _sections(schema):
        lines += ["", f"## {name}", ""]
        if body.get("description"):
            lines += [_one_line(body["description"]), ""]
        lines += _table(body)
    return "\n".join(lines) + "\n"


def _sections(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sections in the order in which the top keys reach them, each once."""
    definitions, seen, waiting = schema["$defs"], set(), _referred(schema["properties"])
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield name, definitions[name]
        waiting = _referred(definitions[name]) + waiting


def _referred(body: Any) -> list[str]:
    if isinstance(body, dict):
        own = [body["$ref"].rpartition("/")[2]] if "$ref" in body else []
        return own + [
            name for key, each in body.items() if key != "$ref" for name in _referred(each)
        ]
    return [name for each in body for name in _referred(each)] if isinstance(body, list) else []


def _table(section: dict[str, Any]) -> list[str]:
    required = set(section.get("required", []))
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, body in section.get("properties", {}).items():
        default = "required" if key in required else _default(body)
        cells = (f"`{key}`", _kind(body), default, _one_line(body.get("description", "")))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows if len(rows) > 2 else ["No keys."]


def _default(body: dict[str, Any]) -> str:
    value = body.get("default")
    return f"`{json.dumps(value)}`" if value not in (None, [], {}) or value is False else ""


def _kind(body: dict[str, Any]) -> str:
    if "$ref" in body:
        name = body["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in body or "const" in body:
        return ", ".join(f"`{value}`" for value in body.get("enum", [body.get("const")]))
    if "anyOf" in body:
        return " or ".join(_kind(each) for each in body["anyOf"] if each.get("type") != "null")
    kind = str(body.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(body.get('items', {}))}"
    if kind == "object":
        inner = body.get("additionalProperties") or body.get("patternProperties", {})
        inner = next(iter(inner.values()), {}) if "patternProperties" in body else inner
        return f"keys, each {_kind(inner)}" if isinstance(inner, dict) else "keys"
    return _bounded({"string": "text", "boolean": "true or false"}.get(kind, kind), body)


def _bounded(kind: str, body: dict[str, Any]) -> str:
    low, high = body.get("minimum"), body.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {low} to {high}"
    if low is not None:
        return f"{kind}, {low} or more"
    example = body.get("examples")
    return f"{kind} such as `{example[0]}`" if example else kind


def _one_line(text: str) -> str:
    return " ".join(text.split())
