"""The names at the top of a module: which a step may use in another process, and which not."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from mlops_infra.lifecycle.pipeline.definition.annotations import Names, dotted, names_in
from mlops_infra.lifecycle.pipeline.definition.kinds import PUBLIC
from mlops_infra.lifecycle.pipeline.source import portable
from mlops_infra.lifecycle.pipeline.source.uses import annotated, at_once, heads, loaded

Role = Literal["import", "definition", "constant", "types", "computed"]
"""computed: only running the cell tells its value, so no other process has it. types: an import
that is there for type checkers alone."""
_LATER = ("__name__", "__file__", "__doc__")
_OWN_NAMES = ("Metrics", "Model", "step")
"""What `from mlops_infra.pipelines import *` brings."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A statement that gives a name its meaning."""

    role: Role
    node: ast.stmt
    """The last of them, or the one that only a run of the module can tell."""
    number: int = 0
    """Of the last of them, among the statements of the module."""
    adds: bool = False
    """Whether what the name meant before still counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A parsed module and its top-level names."""

    tree: ast.Module
    history: Mapping[str, tuple[Binding, ...]]
    """What each name has meant, in the order of the module."""
    bindings: Mapping[str, Binding]
    """What each name means in the end, which is what functions see."""
    names: Names
    """What annotations mean."""
    stars: tuple[ast.ImportFrom, ...] = ()
    """`from x import *`: only running it tells which names it brings."""
    lazy: bool = False
    """`from __future__ import annotations`: no annotation is evaluated."""
    free: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """For each function or class (by its line): the global names that it uses."""

    def at(self, name: str, before: int) -> Binding | None:
        """What a name means just before the statement of that number."""
        earlier = [each for each in self.history.get(name, ()) if each.number < before]
        return earlier[-1] if earlier else None

    def bound_by(self, number: int) -> Iterator[str]:
        """The names that the statement of that number binds."""
        return _targets(self.tree.body[number])

    @property
    def imported(self) -> Mapping[str, str]:
        """Local name to the full dotted name that it was imported from."""
        return self.names.imported

    def uses(self, node: ast.stmt, *, running: bool = False) -> frozenset[str]:
        """The global names that one statement of the module mentions."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return frozenset()
        found: set[str] = set()
        for each in _definitions(node):
            inside = self.free.get(each.lineno, frozenset())
            found |= inside & set(loaded(each, lazy=self.lazy))
            found |= set(heads(each, lazy=self.lazy))
            if not running:
                for annotation in annotated(each):
                    found |= set(names_in(annotation)) & set(self.bindings)
        if not running:
            found |= set(_in_alias(node, self.imported)) & set(self.bindings)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found |= set(loaded(node, lazy=self.lazy, definitions=False))
        return frozenset(found)

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
    imported: dict[str, str] = {}
    for node in _imports_of(tree):
        for name, full in _imports(node).items():
            imported.setdefault(name, full)
    lazy = any(
        isinstance(n, ast.ImportFrom)
        and n.module == "__future__"
        and any(alias.name == "annotations" for alias in n.names)
        for n in tree.body
    )
    history = _history(tree, imported, lazy)
    table = symtable.symtable(text, "module", "exec")
    free = {
        child.get_lineno(): frozenset(_globals(child))
        for child in table.get_children()
        if child.get_type() in ("function", "class")
    }
    stars = tuple(n for n in tree.body if isinstance(n, ast.ImportFrom) and _is_foreign_star(n))
    names = Names(imported, _aliases(tree, imported), _records(tree, imported))
    ends = {name: every[-1] for name, every in history.items()}
    return Module(tree, history, ends, names, stars, lazy, free)


def is_builtin(name: str) -> bool:
    """Whether every Python process has the name."""
    return hasattr(builtins, name) or name in _LATER


def _history(
    tree: ast.Module, imported: Mapping[str, str], lazy: bool
) -> dict[str, tuple[Binding, ...]]:
    history: dict[str, tuple[Binding, ...]] = {}
    for number, node in enumerate(tree.body):
        role = _role(node, imported)
        if role is None:
            continue
        # what a statement needs is what its names mean now, not what they mean in the end
        used = [history[name][-1] for name in at_once(node, lazy=lazy) if name in history]
        if role == "constant" and any(each.role == "computed" for each in used):
            role = "computed"
        for name in dict.fromkeys(_targets(node)):
            before = history.get(name, ())
            new = Binding(role, node, number)
            if before:
                new = _joined(before[-1], new)
            elif isinstance(node, ast.AugAssign):
                new = replace(new, role="computed")
            history[name] = (*before, new)
    return history


def _role(node: ast.stmt, imported: Mapping[str, str]) -> Role | None:
    match node:
        case ast.Import() | ast.ImportFrom():
            return "import"
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return "definition"
        case ast.AnnAssign(value=None):
            return None
        case ast.If(orelse=[]) if portable.is_type_checking(node, imported):
            return "types"
        case ast.If() if portable.is_main_guard(node):
            return "computed"
    return "constant" if portable.statement(node, imported) else "computed"


def _joined(old: Binding, new: Binding) -> Binding:
    """What a statement means for a name that has a meaning already; most often a new one."""
    if new.role == "types":
        return replace(new, role=old.role, node=old.node, adds=True)
    if isinstance(new.node, ast.Import) and old.role == "import":
        # `import a.b` and `import a.c` both bind `a`, and both have to happen
        return replace(new, adds=True)
    if not isinstance(new.node, (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.AugAssign)):
        return new
    if old.role == "computed" and new.role != "computed":
        return replace(new, role="computed", node=old.node, adds=True)
    return replace(new, adds=True)


def _targets(node: ast.stmt) -> Iterator[str]:
    """Names that a statement binds, those inside of its blocks included."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from _imports(node)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield from _targets(child)
        elif isinstance(child, ast.ExceptHandler):
            for inside in child.body:
                yield from _targets(inside)
        else:
            yield from _stored(child)


def _stored(node: ast.AST) -> Iterator[str]:
    """Names that an expression binds; those of a comprehension or a lambda stay inside of it."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.NamedExpr):
        yield from _stored(node.target)
    if not isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        for child in ast.iter_child_nodes(node):
            yield from _stored(child)


def _imports_of(tree: ast.Module) -> Iterator[ast.stmt]:
    """All imports of the module itself, not those inside of functions."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
            waiting[:0] = ast.iter_child_nodes(node)


def _imports(node: ast.stmt) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: alias.name
            if alias.asname
            else alias.name.partition(".")[0]
            for alias in node.names
        }
    if not isinstance(node, ast.ImportFrom):
        return {}
    if _is_star(node):
        own = _OWN_NAMES if node.module in PUBLIC else ()
        return {name: f"{node.module}.{name}" for name in own}
    module = "." * node.level + (node.module or "")
    return {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}


def _is_star(node: ast.ImportFrom) -> bool:
    return any(alias.name == "*" for alias in node.names)


def _is_foreign_star(node: ast.ImportFrom) -> bool:
    return _is_star(node) and not (node.module in PUBLIC and not node.level)


def _aliases(tree: ast.Module, imported: Mapping[str, str]) -> dict[str, ast.expr]:
    """What may be another name of a type; who resolves it finds out."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
            case _ if type(node).__name__ == "TypeAlias":  # the statement `type`, Python 3.12
                found[node.name.id] = node.value  # type: ignore[attr-defined]
    return {name: value for name, value in found.items() if name not in imported}


def _in_alias(node: ast.stmt, imported: Mapping[str, str]) -> Iterator[str]:
    """Names in the texts of an alias: `Row: TypeAlias = "Dict"`, `Rows = List["Row"]`."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        if any(name == "TypeAlias" for name in names_in(node.annotation)):
            yield from names_in(node.value)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
        base = dotted(node.value.value, imported) or ""
        if base in ("list", "dict") or base.startswith(("typing.", "typing_extensions.")):
            yield from names_in(node.value)


def _records(tree: ast.Module, imported: Mapping[str, str]) -> frozenset[str]:
    """Classes of the module that are dicts with known keys."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = {dotted(base, imported) for base in node.bases}
            if bases & {"typing.TypedDict", "typing_extensions.TypedDict", *found}:
                found.add(node.name)
    return frozenset(found)


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


def _definitions(node: ast.stmt) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The functions and classes of a statement of the module, the outermost ones."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.ExceptHandler)):
            yield from _definitions(child)  # type: ignore[arg-type]
