"""From a stack's file, or from values that Pulumi has read already, to a `StackConfig`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from mlops_infra import contract, places
from mlops_infra.config import resolve, rules
from mlops_infra.config.language import explain
from mlops_infra.config.language.document import (
    MAX_BYTES,
    WHOLE_FILE,
    Document,
    Origin,
    Tree,
    Value,
    read,
)
from mlops_infra.config.stack import StackConfig
from mlops_infra.errors import ConfigError, Problem
from mlops_infra.naming import dns_label

NAMESPACE = "mlops-infra"
_PULUMI_KEYS = ("config", "secretsprovider", "encryptedkey", "encryptionsalt", "environment")
_PULUMI_NAMESPACES = (NAMESPACE, "pulumi")


def stack_file(stack: str) -> Path:
    """`Pulumi.<stack>.yaml` in the project's `stacks/`, or in the folder `$MLOPS_INFRA_STACKS`.

    Raises:
        InputError: `stack` cannot be a stack's name.
    """
    dns_label(stack, what="stack")
    folder = os.environ.get(contract.STACKS_VARIABLE)
    return (Path(folder) if folder else places.project() / "stacks") / f"Pulumi.{stack}.yaml"


def load(file: Path) -> StackConfig:
    """Read, check and complete a stack's file.

    Raises:
        ConfigError: with every mistake that the file has.
    """
    document = read(_text(file))
    lines: dict[tuple[str | int, ...], int] = {}
    tree = _own_values(document, lines)
    return _validated(tree, Origin(str(file), lines), document.problems)


def parse(values: Mapping[str, object], *, source: str = "configuration") -> StackConfig:
    """Check and complete values that were read elsewhere; keys are the top keys of the file.

    Raises:
        ConfigError: with every mistake; no lines, for there is no file.
    """
    try:
        tree = json.loads(json.dumps(dict(values), default=_mapping))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(source, [Problem(WHOLE_FILE, f"not plain data: {error}")]) from error
    return _validated(tree, Origin(source), [])


def parse_pulumi(values: Mapping[str, str], *, source: str = "configuration") -> StackConfig:
    """The same from Pulumi's own map: full keys, and everything but text as JSON.

    Raises:
        ConfigError: as `parse`.
    """
    texts = {"profile", "environment", "policy"}
    tree: dict[str, object] = {}
    for full, value in values.items():
        namespace, _, key = full.partition(":")
        if namespace == NAMESPACE:
            tree[key] = value if key in texts else _decoded(value)
    return parse(tree, source=source)


def _decoded(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value  # the model says what should have been here


def _mapping(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not allowed in a configuration")


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ConfigError(str(file), [Problem(WHOLE_FILE, f"larger than {MAX_BYTES} bytes")])
        return raw.decode("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            str(file),
            [Problem(WHOLE_FILE, "the file does not exist", None, _other_stacks(file))],
            hint="use -s with an existing stack, or --file with an existing file",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigError(str(file), [Problem(WHOLE_FILE, f"cannot be read: {reason}")]) from error


def _other_stacks(file: Path) -> str | None:
    known = [each.name[7:-5] for each in file.parent.glob("Pulumi.*.yaml")]
    close = explain.nearest(file.name[7:-5], known)
    if close:
        return f"did you mean '{close}'?"
    return "there are: " + ", ".join(sorted(known)) if known else None


def _own_values(document: Document, lines: dict[tuple[str | int, ...], int]) -> Tree:
    """The values of our namespace under their short keys, with their lines."""
    root = document.tree
    if not isinstance(root, dict):
        if not document.problems:
            document.problems.append(Problem("config", "is missing", None, _FIRST_LINES))
        return {}
    for key in root:
        if key not in _PULUMI_KEYS:
            _note(document, (key,), "unknown key", _top_advice(key))
    body = root.get("config")
    if not isinstance(body, dict):
        _note(document, ("config",), "must be keys with values", _FIRST_LINES)
        return {}
    return {
        short: value
        for full, value in body.items()
        if (short := _short(full, value, document, lines)) is not None
    }


_FIRST_LINES = "start with 'config:' and below it '  mlops-infra:profile: onprem'"


def _top_advice(key: str) -> str:
    if ":" in key:
        return "it belongs below 'config:'"
    if key in explain.keys_of(StackConfig):
        return f"below 'config:' write '{NAMESPACE}:{key}'"
    close = explain.nearest(key, _PULUMI_KEYS)
    return f"did you mean '{close}'?" if close else _FIRST_LINES


def _short(
    full: str, value: Value, document: Document, lines: dict[tuple[str | int, ...], int]
) -> str | None:
    namespace, colon, key = full.partition(":")
    path = ("config", full)
    if not colon:
        close = explain.nearest(full, explain.keys_of(StackConfig))
        _note(document, path, "has no namespace", f"write '{NAMESPACE}:{close or full}'")
        return None
    if namespace not in _PULUMI_NAMESPACES:
        close = explain.nearest(namespace, [NAMESPACE])
        advice = f"write '{close or NAMESPACE}:{key}'" if close else "remove it"
        _note(document, path, f"unknown namespace '{namespace}'", advice)
        return None
    if namespace == "pulumi":
        return None
    if isinstance(value, dict) and set(value) == {"secure"}:
        advice = "give a reference under 'mlops-infra:secrets'"
        _note(document, path, "encrypted values are not allowed here", advice)
        return None
    for known, line in document.lines.items():
        if known[:2] == path:
            lines[(key, *known[2:])] = line
    return key


def _note(
    document: Document, path: tuple[str | int, ...], message: str, advice: str | None
) -> None:
    where = ".".join(str(part) for part in path if part != "config") or "config"
    line = Origin(lines=document.lines).line(path)
    document.problems.append(Problem(where, message, line, advice))


def _validated(tree: Tree, origin: Origin, before: list[Problem]) -> StackConfig:
    found = list(before)
    config: StackConfig | None = None
    try:
        text = json.dumps(resolve.defaults(tree))
        config = StackConfig.model_validate_json(text, strict=True)
    except ValidationError as error:
        found += explain.problems(error, StackConfig, origin)
    broken = rules.problems(tree, origin)
    # a rule that knows a key says more of it
    spoken = {problem.path for problem in broken}
    found = [p for p in found if not (p.message in explain.UNKNOWN and p.path in spoken)] + broken
    if any(problem.path == WHOLE_FILE for problem in before):
        # what stands behind the place that cannot be read is not missing
        found = [p for p in found if p.path == WHOLE_FILE or p.line is not None]
    if found or config is None:
        raise ConfigError(origin.file, _in_order(found))
    return config.with_origin(origin)


def _in_order(found: list[Problem]) -> list[Problem]:
    """By line, those of absent keys last; one problem a place and message."""
    unique = {(problem.path, problem.message): problem for problem in found}
    return sorted(unique.values(), key=lambda p: (p.line is None, p.line or 0))
