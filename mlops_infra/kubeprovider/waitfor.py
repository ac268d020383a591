"""Conditions in the annotation `pulumi.com/waitFor`.

Understood forms: `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Running`,
`jsonpath={.status.url}` (present), a bare `{.a.b}=c`, and a JSON array of these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from mlops_infra.kube.objects import condition
from mlops_infra.kube.verdict import READY, Verdict, waiting
from mlops_infra.kubeprovider.objects import Object
from mlops_infra.kubeprovider.problems import ProviderError

ANNOTATION = "pulumi.com/waitFor"

_JSONPATH = re.compile(r"(?:jsonpath=)?\{?(?P<path>\$?\..+?)\}?(?:=(?P<value>[^={}\]]+))?")
_STEP = re.compile(
    r"""\.(?P<key>[^.\[\]{}]+)
      | \[['"](?P<quoted>[^'"]+)['"]\]
      | \[(?P<index>-?\d+)\]
      | \[(?P<star>\*)\]
      | \[\?\(@\.(?P<field>[\w.-]+)\s*==\s*['"](?P<wanted>[^'"]*)['"]\)\]
    """,
    re.VERBOSE,
)

Check = Callable[[Object], str]
"""Gives what is missing, or an empty string."""


def parse(text: str) -> list[Check]:
    """Read the annotation.

    Raises:
        ProviderError: an expression that is not understood.
    """
    if text.lstrip().startswith("["):
        try:
            items = json.loads(text)
        except ValueError as error:
            raise ProviderError(f"{ANNOTATION} is not a JSON array: {text}") from error
        if not isinstance(items, list) or not items:
            raise ProviderError(f"{ANNOTATION} must be an array with at least one expression")
        return [_one(str(item)) for item in items]
    return [_one(text)]


def evaluate(obj: Object, checks: list[Check]) -> Verdict:
    """Ready when every condition holds."""
    missing = [text for text in (check(obj) for check in checks) if text]
    return waiting("; ".join(missing)) if missing else READY


def _one(text: str) -> Check:
    if text.startswith("condition="):
        kind, _, wanted = text.removeprefix("condition=").partition("=")
        return _condition(kind, wanted or "True")
    match = _JSONPATH.fullmatch(text.strip())
    if match is None:
        raise ProviderError(f"{ANNOTATION}: '{text}' is neither condition=... nor jsonpath=...")
    return _path(match["path"], match["value"])


def _condition(kind: str, wanted: str) -> Check:
    def check(obj: Object) -> str:
        found = condition(obj, kind)
        if str(found.get("status", "")).lower() == wanted.lower():
            return ""
        why = found.get("message") or found.get("reason") or "not reported yet"
        return f"condition {kind} is not {wanted}: {why}"

    return check


def _path(path: str, wanted: str | None) -> Check:
    steps = _steps(path.removeprefix("$"))

    def check(obj: Object) -> str:
        found = list(_follow(obj, steps))
        if wanted is None:
            return "" if found else f"{path} is not there yet"
        if any(_text(value) == wanted.strip("'\"") for value in found):
            return ""
        return f"{path} is {_text(found[0]) if found else 'not there'}, not {wanted}"

    return check


def _steps(path: str) -> list[re.Match[str]]:
    steps, at = [], 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ProviderError(f"{ANNOTATION}: cannot read '{path[at:]}' in the path '{path}'")
        steps.append(match)
        at = match.end()
    return steps


def _follow(value: Any, steps: list[re.Match[str]]) -> Iterator[Any]:
    if not steps:
        if value is not None:
            yield value
        return
    for item in _step(value, steps[0]):
        yield from _follow(item, steps[1:])


def _step(value: Any, step: re.Match[str]) -> list[Any]:
    key = step["key"] or step["quoted"]
    if key is not None:
        return [value[key]] if isinstance(value, dict) and key in value else []
    if not isinstance(value, list):
        return []
    if step["index"] is not None:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    if step["star"]:
        return value
    return [item for item in value if _text(_dig(item, step["field"])) == step["wanted"]]


def _dig(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
