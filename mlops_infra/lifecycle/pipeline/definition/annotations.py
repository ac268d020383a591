"""Type annotations in any spelling: `List[str]`, `Optional[X]`, `X | None`, quoted, or an alias.

Nothing is imported or run: an annotation is resolved by the names that its module binds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ANY, UNION, LITERAL = "typing.Any", "typing.Union", "typing.Literal"
DEEPEST = 40
"""Aliases and brackets inside of each other; beyond it, the type is not understood."""
_TYPING = ("typing.", "typing_extensions.")
_SAME = {
    **{f"typing.{name}": name.lower() for name in ("List", "Dict", "Tuple", "Set", "Type")},
    **{f"typing.{name}": "list" for name in ("Sequence", "MutableSequence", "Collection")},
    **{f"collections.abc.{name}": "list" for name in ("Sequence", "MutableSequence", "Collection")},
    **{f"typing.{name}": "dict" for name in ("Mapping", "MutableMapping")},
    **{f"collections.abc.{name}": "dict" for name in ("Mapping", "MutableMapping")},
    "typing.Iterable": "list",
    "collections.abc.Iterable": "list",
    "typing.Text": "str",
    "typing.FrozenSet": "frozenset",
    "types.NoneType": "None",
    "object": ANY,
}
"""Names that mean the same for a value that travels as JSON."""
_AROUND = ("typing.Annotated", "typing.Final", "typing.Required", "typing.NotRequired")
"""Their first argument is the type."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in a module's annotations mean."""

    imported: Mapping[str, str] = field(default_factory=dict)
    """Local name to the full dotted name that it was imported from."""
    aliases: Mapping[str, ast.expr] = field(default_factory=dict)
    """Name to what the module assigns to it, where that may be a type."""
    records: frozenset[str] = frozenset()
    """Classes that are a `TypedDict`."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type by its full name, `None` and `typing.Union` among them."""

    name: str
    arguments: tuple[Type, ...] = ()
    values: tuple[object, ...] = ()
    """Of a `Literal`."""


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


def type_of(node: ast.expr, names: Names, depth: int = 0) -> Type | None:
    """The type that an annotation means; None where that cannot be read from the text."""
    node = unquoted(node)
    if depth > DEEPEST:
        return None
    if isinstance(node, ast.Name) and node.id in names.aliases:
        return type_of(names.aliases[node.id], names, depth + 1)
    if isinstance(node, ast.Name) and node.id in names.records:
        return Type("dict")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right], names, depth)
    if isinstance(node, ast.Subscript):
        return _subscript(node, names, depth)
    if isinstance(node, ast.Call):
        return _new_type(node, names, depth)
    name = _canonical(node, names)
    return None if name is None else Type(name)


def unquoted(node: ast.expr) -> ast.expr:
    """The expression behind an annotation that is written as text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return unquoted(ast.parse(node.value.strip(), mode="eval").body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return node
    return node


def names_in(node: ast.AST) -> Iterator[str]:
    """The names that an annotation mentions, those in quotes included."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        inner = unquoted(node)
        if inner is not node:
            yield from names_in(inner)
    elif isinstance(node, ast.Subscript):
        yield from names_in(node.value)
        base = getattr(node.value, "attr", getattr(node.value, "id", ""))
        of = node.slice
        if base == "Annotated" and isinstance(of, ast.Tuple) and of.elts:
            of = of.elts[0]  # the rest is no type
        if base != "Literal":
            yield from names_in(of)
    else:
        for child in ast.iter_child_nodes(node):
            yield from names_in(child)


def _canonical(node: ast.expr, names: Names) -> str | None:
    name = dotted(node, names.imported)
    if name is None:
        return None
    for prefix in _TYPING:
        if name.startswith(prefix):
            name = f"typing.{name.removeprefix(prefix)}"
    name = name.removeprefix("builtins.")
    return _SAME.get(name, name)


def _subscript(node: ast.Subscript, names: Names, depth: int) -> Type | None:
    inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    base = _canonical(node.value, names)
    if base is None or not inner:
        return None
    if base in _AROUND:
        return type_of(inner[0], names, depth + 1)
    if base == "typing.Optional":
        return _union([*inner, ast.Constant(None)], names, depth)
    if base == UNION:
        return _union(inner, names, depth)
    if base == LITERAL:
        values = [each.value for each in inner if isinstance(each, ast.Constant)]
        return Type(LITERAL, values=tuple(values)) if len(values) == len(inner) else None
    # of `NDArray[np.float64]` or a user's own generic class, the name alone tells
    found = [type_of(each, names, depth + 1) for each in inner]
    return Type(base, tuple(each or Type("?") for each in found))


def _union(parts: list[ast.expr], names: Names, depth: int) -> Type | None:
    members: dict[Type, None] = {}
    for part in parts:
        found = type_of(part, names, depth + 1)
        if found is None:
            return None
        members.update(dict.fromkeys(found.arguments if found.name == UNION else (found,)))
    alone = list(members)
    return alone[0] if len(alone) == 1 else Type(UNION, tuple(alone))


def _new_type(node: ast.Call, names: Names, depth: int) -> Type | None:
    made = _canonical(node.func, names)
    if made == "typing.NewType" and len(node.args) == 2:
        return type_of(node.args[1], names, depth + 1)
    return Type("dict") if made == "typing.TypedDict" else None
