"""What a type in a step's signature means for the file that carries its value."""

from __future__ import annotations

import ast

from mlops_infra.lifecycle.pipeline.definition.annotations import (
    ANY,
    LITERAL,
    UNION,
    Names,
    Type,
    type_of,
)
from mlops_infra.lifecycle.pipeline.definition.model import Content, Kind, Value

PUBLIC = (
    "mlops_infra.pipelines",
    "mlops_infra.lifecycle.pipeline",  # the first name, deprecated
    "mlops_infra.lifecycle.pipeline.definition.decorator",
)
"""Modules from which a person's file may import `step`, `Model` and `Metrics`."""
_CONTENTS: dict[str, Content] = {
    "pandas.DataFrame": "table",
    "pandas.core.frame.DataFrame": "table",
    "numpy.ndarray": "array",
    "numpy.typing.NDArray": "array",
    "bytes": "bytes",
}
for _module in PUBLIC:
    _CONTENTS |= {f"{_module}.Metrics": "metrics", f"{_module}.Model": "model"}
_PLAIN: dict[str, Kind] = {"str": "str", "int": "int", "float": "float", "bool": "bool"}
_JSON = (*_PLAIN, "dict", "list", "None", ANY)
_INSTEAD = {
    "pandas.Series": "return a DataFrame: series.to_frame()",
    "tuple": "return a list, or one step for each value",
    "set": "return a sorted list",
    "frozenset": "return a sorted list",
    "pathlib.Path": "return the content of the file: bytes",
}
WANTED = (
    "pandas.DataFrame, numpy.ndarray, Model, Metrics, bytes, or what JSON holds: "
    "str, int, float, bool, list, dict, None"
)


def content_of(annotation: ast.expr, names: Names) -> Content | None:
    """How a value of this type travels between steps; None where it cannot."""
    found = type_of(annotation, names)
    return None if found is None else _content(found)


def is_none(annotation: ast.expr, names: Names) -> bool:
    """Whether the type is None alone: as a result, nothing; as an argument, mere order."""
    return type_of(annotation, names) == Type("None")


def plain(annotation: ast.expr, names: Names) -> Kind | None:
    """What a parameter of this type holds; None where no parameter can."""
    found = type_of(annotation, names)
    if found is None:
        return None
    if found.name == UNION:
        # None is no value of a parameter; the rest may be
        rest = [each for each in found.arguments if each.name != "None"]
        found = rest[0] if len(rest) == 1 else found
    if found.name == LITERAL:
        kinds = {type(value).__name__ for value in found.values}
        return _PLAIN.get(kinds.pop()) if len(kinds) == 1 else None
    return _PLAIN.get(found.name)


def choices(annotation: ast.expr, names: Names) -> tuple[Value, ...]:
    """The only values that a `Literal` allows; empty for any other type."""
    found = type_of(annotation, names)
    members = () if found is None else (found.arguments if found.name == UNION else (found,))
    values = [value for each in members if each.name == LITERAL for value in each.values]
    return tuple(value for value in values if isinstance(value, (str, int, float, bool)))


def instead(annotation: ast.expr, names: Names) -> str:
    """What to return in place of a type that cannot travel."""
    found = type_of(annotation, names)
    if found is not None and found.name == UNION and Type("None") in found.arguments:
        return "None is no table, array or model: return an empty one, or raise an exception"
    return _INSTEAD.get("" if found is None else found.name, f"return {WANTED}")


def _content(of: Type) -> Content | None:
    if of.name in _CONTENTS:
        return _CONTENTS[of.name]
    if of.name.startswith("sklearn."):
        return "model"
    if of.name == UNION:
        contents = {_content(each) for each in of.arguments}
        return contents.pop() if len(contents) == 1 else None
    return "json" if _is_json(of) else None


def _is_json(of: Type) -> bool:
    match of.name:
        case "typing.Union":
            return all(_is_json(each) for each in of.arguments)
        case "typing.Literal":
            return all(value is None or type(value).__name__ in _PLAIN for value in of.values)
        case "dict" if of.arguments:
            key, *value = of.arguments
            return _is_key(key) and len(value) == 1 and _is_json(value[0])
        case "list" if of.arguments:
            return len(of.arguments) == 1 and _is_json(of.arguments[0])
    return of.name in _JSON


def _is_key(of: Type) -> bool:
    """JSON makes a text of every key: another type would come back as something else."""
    literal = of.name == LITERAL and all(isinstance(value, str) for value in of.values)
    return of.name in ("str", ANY) or literal
