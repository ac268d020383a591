"""What a type in a step's signature means for the file that carries its value."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from mlops_infra.lifecycle.pipeline.definition.model import Content

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
_PLAIN = ("str", "int", "float", "bool")
_JSON = (*_PLAIN, "dict", "list", "None", "typing.Any")
INSTEAD = {
    "pandas.Series": "return a DataFrame: series.to_frame()",
    "tuple": "return a list, or one step for each value",
    "set": "return a sorted list",
    "pathlib.Path": "return the content of the file: bytes",
    "str | None": "return an empty text",
}
WANTED = (
    "pandas.DataFrame, numpy.ndarray, Model, Metrics, bytes, or what JSON holds: "
    "str, int, float, bool, list, dict"
)


def dotted(node: ast.expr, imported: Mapping[str, str]) -> str | None:
    """The full name that an expression such as `pd.DataFrame` means; None where it has none."""
    if isinstance(node, ast.Name):
        return imported.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, imported)
        return None if before is None else f"{before}.{node.attr}"
    if isinstance(node, ast.Constant) and node.value is None:
        return "None"
    return None


def plain(annotation: ast.expr, imported: Mapping[str, str]) -> str | None:
    """`str`, `int`, `float` or `bool` where the annotation is one of them: what a parameter is."""
    name = dotted(_unquoted(annotation), imported)
    return name if name in _PLAIN else None


def content_of(annotation: ast.expr, imported: Mapping[str, str]) -> Content | None:
    """How a value of this type travels between steps; None where it cannot."""
    node = _unquoted(annotation)
    base = dotted(node.value if isinstance(node, ast.Subscript) else node, imported)
    if base in _CONTENTS:
        return _CONTENTS[base]
    if base is not None and base.startswith("sklearn."):
        return "model"
    return "json" if _is_json(node, imported) else None


def instead(annotation: ast.expr, imported: Mapping[str, str]) -> str:
    """What to return in place of a type that cannot travel."""
    node = _unquoted(annotation)
    base = dotted(node.value if isinstance(node, ast.Subscript) else node, imported)
    return INSTEAD.get(base or "", f"return {WANTED}")


def _is_json(node: ast.expr, imported: Mapping[str, str]) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _is_json(node.left, imported) and _is_json(node.right, imported)
    if isinstance(node, ast.Subscript):
        base = dotted(node.value, imported)
        inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if base == "dict":
            return (
                len(inner) == 2
                and dotted(inner[0], imported) == "str"
                and _is_json(inner[1], imported)
            )
        return base == "list" and len(inner) == 1 and _is_json(inner[0], imported)
    return dotted(node, imported) in _JSON


def _unquoted(node: ast.expr) -> ast.expr:
    """The expression behind an annotation that is written as text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return node
    return node
