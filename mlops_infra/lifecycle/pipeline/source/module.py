"""The names at the top of a module: which a step may use in another process, and which not."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlops_infra.lifecycle.pipeline.definition.annotations import Names, dotted, names_in
from mlops_infra.lifecycle.pipeline.definition.kinds import PUBLIC
from mlops_infra.lifecycle.pipeline.source import portable
from mlops_infra.lifecycle.pipeline.source.uses import annotations, heads, loaded

Role = Literal["import", "definition", "constant", "types", "computed"]
"""computed: only running the cell tells its value, so no other process has it. types: an import
that is there for type checkers alone."""
_LATER = ("__name__", "__file__", "__doc__")
_OWN_NAMES = ("Metrics", "Model", "step")
"""What `from mlops_infra.pipelines import *` brings."""


@dataclass(frozen=True, slots=True)
class Binding:
    """The statements that give a name its meaning."""

    role: Role
    node: ast.stmt
    """The last of them, or the one that only a run of the module can tell."""
    nodes: tuple[ast.stmt, ...] = ()
    """All of them, in the order of the module."""


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module and its top-level names."""

    tree: ast.Module
    bindings: Mapping[str, Binding]
    names: Names
    """What annotations mean."""
    stars: tuple[ast.ImportFrom, ...] = ()
    """`from x import *`: only running it tells which names it brings."""
    lazy: bool = False
    """`from __future__ import annotations`: no annotation is evaluated."""
    free: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """For each function or class (by its line): the global names that it uses."""

    @property
    def imported(self) -> Mapping[str, str]:
        """Local name to the full dotted name that it was imported from."""
        return self.names.imported

    def reach(self, name: str, *, running: bool = False) -> dict[str, Binding | None]:
        """All global names that `name` needs, through others too.

        Args:
            name: a name of the module.
            running: without what only annotations mention that no process evaluates.
        """
        binding = self.bindings.get(name)
        return {} if binding is None else self.reach_of(binding.nodes, running=running)

    def reach_of(
        self, nodes: tuple[ast.stmt, ...], *, running: bool = False
    ) -> dict[str, Binding | None]:
        """The same for what statements need."""
        found: dict[str, Binding | None] = {}
        waiting = list(nodes)
        while waiting:
            for used in sorted(self.uses(waiting.pop(), running=running) - set(found)):
                found[used] = binding = self.bindings.get(used)
                if binding is not None and binding.role != "computed":
                    waiting += binding.nodes
        return {n: b for n, b in found.items() if b is not None or not is_builtin(n)}

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
                for annotation in annotations(each):
                    found |= set(names_in(annotation)) & set(self.bindings)
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
    bindings: dict[str, Binding] = {}
    for node in tree.body:
        for name, new in _bound(node, imported):
            bindings[name] = _joined(bindings.get(name), new)
    table = symtable.symtable(text, "module", "exec")
    free = {
        child.get_lineno(): frozenset(_globals(child))
        for child in table.get_children()
        if child.get_type() in ("function", "class")
    }
    stars = tuple(n for n in tree.body if isinstance(n, ast.ImportFrom) and _is_foreign_star(n))
    lazy = any(
        isinstance(n, ast.ImportFrom)
        and n.module == "__future__"
        and any(alias.name == "annotations" for alias in n.names)
        for n in tree.body
    )
    names = Names(imported, _aliases(tree, imported), _records(tree, imported))
    return Module(tree, bindings, names, stars, lazy, free)


def is_builtin(name: str) -> bool:
    """Whether every Python process has the name."""
    return hasattr(builtins, name) or name in _LATER


def _bound(node: ast.stmt, imported: Mapping[str, str]) -> Iterator[tuple[str, Binding]]:
    role: Role = "constant" if portable.statement(node, imported) else "computed"
    match node:
        case ast.Import() | ast.ImportFrom():
            role = "import"
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            role = "definition"
        case ast.AnnAssign(value=None):
            return
        case ast.If(orelse=[]) if portable.is_type_checking(node, imported):
            role = "types"
        case ast.If() if portable.is_main_guard(node):
            role = "computed"
    for name in _targets(node):
        yield name, Binding(role, node, (node,))


def _joined(old: Binding | None, new: Binding) -> Binding:
    """What two statements of one name mean together; most often the later one alone."""
    node = new.node
    both = old is not None and Binding(
        "computed" if old.role == "computed" or new.role == "computed" else new.role,
        old.node if old.role == "computed" and new.role != "computed" else node,
        tuple(dict.fromkeys((*old.nodes, node))),
    )
    if not both or old is None:
        alone = isinstance(node, ast.AugAssign)
        return Binding("computed", node, (node,)) if alone else new
    if new.role == "types":
        return Binding(old.role, old.node, both.nodes)
    if isinstance(node, ast.Import) and old.role == "import":
        # `import a.b` and `import a.c` both bind `a`, and both have to happen
        return both
    if isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.AugAssign)):
        return both
    return new


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
