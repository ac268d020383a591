"""Statements of a module that change what a name holds: they make no name, and yet a step sees it.

`CONFIG["k"] = 1`, `COLUMNS.append("b")`, `random.seed(0)`, `set_seed(42)`: what can run again in the
step's process travels with it; the rest is told by `pipeline check`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from mlops_infra.lifecycle.pipeline.definition.annotations import dotted
from mlops_infra.lifecycle.pipeline.source import portable
from mlops_infra.lifecycle.pipeline.source.functions import Marked
from mlops_infra.lifecycle.pipeline.source.module import Binding, Module

_ON_ARGUMENTS = (
    *("random.shuffle", "numpy.random.shuffle", "setattr", "delattr", "copy.replace"),
    *(f"heapq.{name}" for name in ("heapify", "heappush", "heappop", "heapreplace")),
    *(f"bisect.{name}" for name in ("insort", "insort_left", "insort_right")),
)
"""Functions that change their first argument."""
_SEEDS = {"random", "numpy.random", "numpy"}
"""Random numbers of the whole process: a step draws from them without naming them."""
_ENVIRONMENT = ("environ", "getenv", "putenv", "environb")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Change:
    """A statement of the module that changes what a name of the module holds."""

    name: str
    node: ast.stmt
    portable: bool
    """Whether it may run again in the process of a step."""


def changes(module: Module) -> list[Change]:
    """All such statements, in the order of the module."""
    found = []
    for node in module.tree.body:
        if isinstance(node, _DEFINITIONS) or portable.is_main_guard(node):
            continue
        names = {name for name in changed(node, module) if name in module.bindings}
        # a block that binds a name belongs to the name already
        bound = {n for n, b in module.bindings.items() if node in b.nodes}
        again = portable.statement(node, module.imported) or _portable_call(node, module)
        found += [Change(name, node, again) for name in sorted(names - bound)]
    return found


def reached(module: Module, step: Marked) -> dict[str, Binding | None]:
    """The names that a step needs, those included that changes of the module's state need."""
    found = module.reach_of((step.node,))
    waiting = True
    while waiting:
        nodes = tuple(c.node for c in _concerning(module, step, found) if c.portable)
        more = module.reach_of(nodes)
        waiting = bool(set(more) - set(found))
        found |= more
    return found


def changes_of(module: Module, step: Marked) -> list[Change]:
    """The changes of the module's state that a step would notice."""
    return _concerning(module, step, reached(module, step))


def _concerning(module: Module, step: Marked, names: Collection[str]) -> list[Change]:
    known = {*names, step.name}
    return [each for each in changes(module) if concerns(each, module, known)]


def concerns(change: Change, module: Module, reached: Collection[str]) -> bool:
    """Whether a step that uses the names `reached` would notice the change."""
    full = module.imported.get(change.name, "")
    if change.portable and {full, full.rpartition(".")[0]} & _SEEDS and _seeds(change.node, module):
        return True
    if change.name not in reached:
        return False
    if full != "os":
        return True
    # most steps use `os` for paths alone, and an environment may hold secrets
    used = (module.bindings[name].node for name in reached if name in module.bindings)
    return any(_mentions(node, _ENVIRONMENT) for node in used)


def changed(node: ast.AST, module: Module, *, calls: bool = True) -> Iterator[str]:
    """Names whose objects a statement changes, through functions of the module too."""
    for each in _inside(node):
        if isinstance(each, (ast.Subscript, ast.Attribute)):
            if isinstance(each.ctx, (ast.Store, ast.Del)):
                yield from _root(each)
        elif isinstance(each, ast.Call):
            yield from _called(each, module, calls)


def _called(call: ast.Call, module: Module, calls: bool) -> Iterator[str]:
    imported, function = module.imported, call.func
    if dotted(function, imported) in _ON_ARGUMENTS and call.args:
        yield from _root(call.args[0])
    elif isinstance(function, ast.Attribute):
        if _changes_receiver(function, imported):
            yield from _root(function.value)
    elif isinstance(function, ast.Name) and function.id in imported:
        if portable.SETTING.fullmatch(imported[function.id].rpartition(".")[2]):
            yield function.id
    elif isinstance(function, ast.Name) and calls:
        node = _function(function.id, module)
        if node is not None:
            yield from _by_function(node, call, module)


def _changes_receiver(function: ast.Attribute, imported: Mapping[str, str]) -> bool:
    receiver = function.value
    root = next(_root(receiver), "")
    if root in imported:
        if portable.SETTING.fullmatch(function.attr):
            return True
        # `np.append(a, b)` is a function of the module; `sys.path.append(a)` changes a list
        if isinstance(receiver, ast.Name) and "." not in imported[root]:
            return False
    return function.attr in portable.MUTATORS


def _by_function(node: ast.FunctionDef, call: ast.Call, module: Module) -> Iterator[str]:
    """What a call of a function of the module changes: its globals, and what it was given."""
    inside = {name for each in node.body for name in changed(each, module, calls=False)}
    local = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
    for each in ast.walk(node):
        if isinstance(each, ast.Global):
            inside.update(each.names)
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            local.add(each.id)
    for each in ast.walk(node):
        if isinstance(each, ast.Global):
            local -= set(each.names)
    yield from inside - local
    if inside & local:
        for given in (*call.args, *(keyword.value for keyword in call.keywords)):
            yield from _root(given)


def _portable_call(node: ast.stmt, module: Module) -> bool:
    """Whether this calls a function of the module that does nothing but set and change things."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    call = node.value
    called = _function(call.func.id, module) if isinstance(call.func, ast.Name) else None
    if called is None:
        return False
    given = [*call.args, *call.keywords]
    return all(portable.expression(each, module.imported) for each in given) and all(
        portable.statement(each, module.imported) for each in called.body
    )


def _function(name: str, module: Module) -> ast.FunctionDef | None:
    binding = module.bindings.get(name)
    node = None if binding is None else binding.node
    return node if isinstance(node, ast.FunctionDef) else None


def _seeds(node: ast.stmt, module: Module) -> bool:
    called = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    names = [each.id for each in called if isinstance(each, ast.Name)]
    if any(module.imported.get(name, "").endswith(".seed") for name in names):
        return True
    inside = [f for f in (_function(name, module) for name in names) if f is not None]
    return any(_mentions(each, ("seed",)) for each in (node, *inside))


def _mentions(node: ast.AST, attributes: Collection[str]) -> bool:
    return any(isinstance(e, ast.Attribute) and e.attr in attributes for e in ast.walk(node))


def _root(node: ast.AST) -> Iterator[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, but not the bodies of functions and classes."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*_DEFINITIONS, ast.Lambda)):
            yield from _inside(child)
