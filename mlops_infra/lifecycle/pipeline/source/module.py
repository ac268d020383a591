"""The names at the top of a module: which a step may use in another process, and which not."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["import", "definition", "constant", "computed"]
"""computed: only running the cell tells its value, so no other process has it."""
_LATER = ("__name__", "__file__", "__doc__")


@dataclass(frozen=True, slots=True)
class Binding:
    """The last statement that gives a name its meaning."""

    role: Role
    node: ast.stmt


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module and its top-level names."""

    tree: ast.Module
    bindings: Mapping[str, Binding]
    imported: Mapping[str, str]
    """Local name to the full dotted name that it was imported from."""
    free: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """For each function or class (by its line): the global names that it uses."""

    def reach(self, name: str) -> dict[str, Binding | None]:
        """All global names that the definition `name` needs, through others too."""
        found: dict[str, Binding | None] = {}
        waiting = [name]
        while waiting:
            binding = self.bindings.get(waiting.pop())
            if binding is None or binding.role != "definition":
                continue
            new = sorted(self._uses(binding.node) - {name, *found})
            found.update({used: self.bindings.get(used) for used in new})
            waiting += new
        return {n: b for n, b in found.items() if b is not None or not is_builtin(n)}

    def _uses(self, node: ast.stmt) -> frozenset[str]:
        inside = self.free.get(node.lineno, frozenset())
        return inside | frozenset(_outside(node))

    def line_of(self, name: str, within: ast.stmt) -> int:
        """Where `within` uses `name` first."""
        lines = [n.lineno for n in ast.walk(within) if isinstance(n, ast.Name) and n.id == name]
        return min(lines, default=within.lineno)


def parse(text: str) -> Module:
    """Parse a module.

    Raises:
        SyntaxError: it is not valid Python.
        ValueError, RecursionError: it is built to break parsers.
    """
    tree = ast.parse(text)
    bindings: dict[str, Binding] = {}
    imported: dict[str, str] = {}
    for node in tree.body:
        bindings.update(_bound(node))
        imported.update(_imports(node))
    table = symtable.symtable(text, "module", "exec")
    free = {
        child.get_lineno(): frozenset(_globals(child))
        for child in table.get_children()
        if child.get_type() in ("function", "class")
    }
    return Module(tree, bindings, imported, free)


def is_builtin(name: str) -> bool:
    """Whether every Python process has the name."""
    return hasattr(builtins, name) or name in _LATER


def _bound(node: ast.stmt) -> Iterator[tuple[str, Binding]]:
    match node:
        case ast.Import() | ast.ImportFrom():
            for name in _imports(node):
                yield name, Binding("import", node)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, Binding("definition", node)
        case ast.Assign() | ast.AnnAssign() if _is_literal(node.value):
            for name in _targets(node):
                yield name, Binding("constant", node)
        case _:
            for name in _targets(node):
                yield name, Binding("computed", node)


def _targets(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds, those inside of its blocks included."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield each.name
        elif isinstance(each, (ast.Import, ast.ImportFrom)):
            yield from _imports(each)
        elif isinstance(each, ast.ExceptHandler) and each.name:
            yield each.name


def _imports(node: ast.stmt) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: alias.name
            if alias.asname
            else alias.name.partition(".")[0]
            for alias in node.names
        }
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {}


def _is_literal(value: ast.expr | None) -> bool:
    if value is None:
        return False
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


def _outside(node: ast.stmt) -> Iterator[str]:
    """Names that are needed before the body runs: decorators, annotations, defaults, bases."""
    heads: list[ast.AST | None] = []
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        heads = [*node.decorator_list, node.args, node.returns]
    elif isinstance(node, ast.ClassDef):
        heads = [*node.decorator_list, *node.bases, *node.keywords]
    for head in heads:
        if head is None:
            continue
        for each in ast.walk(head):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
                yield each.id
