"""Statements of a module that change what a name holds: they bind nothing, and yet a step sees it.

`CONFIG["k"] = 1`, `COLUMNS.append("b")`, `random.seed(0)`, `set_seed(42)`: what can run again in a
step's process travels with it; the rest is told by `pipeline check`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mlops_infra.lifecycle.pipeline.definition.annotations import dotted
from mlops_infra.lifecycle.pipeline.source import portable
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
    number: int
    """Among the statements of the module."""
    portable: bool
    """Whether it may run again in the process of a step."""
    held: Binding | None
    """What gave the name the object that is changed: the name may mean another one since."""


@lru_cache(maxsize=4)
def changes(module: Module) -> tuple[Change, ...]:
    """All such statements, in the order of the module."""
    found = []
    for number, node in enumerate(module.tree.body):
        if isinstance(node, _DEFINITIONS) or portable.is_main_guard(node):
            continue
        objects = {(name, number) for name in changed(node, module, number)}
        for name, _ in list(objects):
            objects.update(_same_object(name, number, module))
        # a block that binds a name belongs to the name already
        own = () if isinstance(node, ast.AugAssign) else set(module.bound_by(number))
        again = portable.statement(node, module.imported) or _portable_call(node, module, number)
        found += [
            Change(name, node, number, again, module.at(name, at))
            for name, at in sorted(objects)
            if name in module.history and name not in own
        ]
    return tuple(found)


def _same_object(name: str, number: int, module: Module) -> Iterator[tuple[str, int]]:
    """Names of what `name` may hold a part of, or is another name of.

    Each with the statement before which it means that: it may mean something else later.
    """
    node = module.tree.body[number]
    if isinstance(node, ast.For):
        yield from ((each, number) for each in _loads(node.iter))
    seen = {(name, number)}
    waiting = [(name, number)]
    while waiting:
        then = _made(*waiting.pop(), module)
        if then is not None and then.role == "constant" and isinstance(then.node, ast.Assign):
            new = {(each, then.number) for each in _loads(then.node.value)} - seen
            seen |= new
            waiting += new
            yield from new


def _made(name: str, number: int, module: Module) -> Binding | None:
    """What made the object that a name has then: `a += [1]` leaves a list the object it was."""
    then = module.at(name, number)
    while then is not None and isinstance(then.node, ast.AugAssign):
        then = module.at(name, then.number)
    return then


def _loads(node: ast.AST) -> Iterator[str]:
    return (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def is_seed(change: Change, module: Module) -> bool:
    """Whether it sets the random numbers of the whole process.

    A step draws from them without naming them, through scikit-learn for example.
    """
    full = module.imported.get(change.name, "")
    return bool({full, full.rpartition(".")[0]} & _SEEDS) and _seeds(change, module)


def reads_environment(node: ast.AST) -> bool:
    """Whether it mentions the environment: most code uses `os` for paths alone."""
    return _mentions(node, _ENVIRONMENT)


def changed(
    node: ast.AST, module: Module, number: int | None = None, *, calls: bool = True
) -> Iterator[str]:
    """Names whose objects a statement changes, through functions of the module too.

    Args:
        node: the statement.
        module: its module.
        number: among the statements of the module; None: it runs when the module is whole.
        calls: look into the functions that it calls.
    """
    for each in _inside(node):
        if isinstance(each, ast.AugAssign):
            yield from _root(each.target)
        elif isinstance(each, (ast.Subscript, ast.Attribute)):
            if isinstance(each.ctx, (ast.Store, ast.Del)):
                yield from _root(each)
        elif isinstance(each, ast.Call):
            yield from _called(each, module, number, calls)


def _called(call: ast.Call, module: Module, number: int | None, calls: bool) -> Iterator[str]:
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
        node = _function(function.id, module, number)
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


def _portable_call(node: ast.stmt, module: Module, number: int) -> bool:
    """Whether this calls a function of the module that does nothing but set and change things."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    call = node.value
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    called = _function(name, module, number)
    if called is None:
        return False
    given = [*call.args, *call.keywords]
    return all(portable.expression(each, module.imported) for each in given) and all(
        portable.statement(each, module.imported) for each in called.body
    )


def _function(name: str, module: Module, number: int | None) -> ast.FunctionDef | None:
    """The function that a name means there: it may be defined again later."""
    binding = module.at(name, len(module.tree.body) if number is None else number)
    node = None if binding is None else binding.node
    return node if isinstance(node, ast.FunctionDef) else None


def _seeds(change: Change, module: Module) -> bool:
    called = [each.func for each in ast.walk(change.node) if isinstance(each, ast.Call)]
    names = [each.id for each in called if isinstance(each, ast.Name)]
    if any(module.imported.get(name, "").endswith(".seed") for name in names):
        return True
    functions = (_function(name, module, change.number) for name in names)
    inside = [each for each in functions if each is not None]
    return any(_mentions(each, ("seed",)) for each in (change.node, *inside))


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
