"""The statements of a module that a step needs: what travels to its process, in their order.

A name means what the last statement before its use has made of it. So each need is a name and the
number of the statement before which it is needed; a function of the module needs its names when it
is called, the step itself after the whole module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from mlops_infra.lifecycle.pipeline.source.module import Binding, Module, is_builtin
from mlops_infra.lifecycle.pipeline.source.state import (
    Change,
    changes,
    is_seed,
    reads_environment,
)
from mlops_infra.lifecycle.pipeline.source.uses import at_once, loaded

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Need = tuple[str, int, bool]
"""A name, the number of the statement before which it is needed, whether a process evaluates it."""


@dataclass(slots=True)
class Needs:
    """What one step needs of its module, and what it needs in vain."""

    nodes: dict[ast.stmt, None] = field(default_factory=dict)
    """Statements that travel, the step itself among them."""
    names: set[str] = field(default_factory=set)
    computed: dict[str, Binding] = field(default_factory=dict)
    """Names that only a run of the file would tell."""
    types: dict[str, Binding] = field(default_factory=dict)
    """Names that are imported for type checkers alone."""
    undefined: dict[str, None] = field(default_factory=dict)
    changed: dict[str, Change] = field(default_factory=dict)
    """Names whose objects are changed by what only a run of the file would tell."""


def needs_of(module: Module, step: ast.stmt) -> Needs:
    """All that the function `step` needs, through other statements too."""
    found = Needs({step: None})
    end = len(module.tree.body)
    number = module.tree.body.index(step)
    waiting: list[Need] = [*_of(module, step, number, end)]
    for change in changes(module):
        if change.portable and is_seed(change, module):
            waiting += _by_change(module, change, found)
    seen: set[Need] = set()
    while waiting or _environment(module, found, waiting):
        need = waiting.pop()
        if need not in seen:
            seen.add(need)
            waiting += _met(module, need, found)
    return found


def _met(module: Module, need: Need, found: Needs) -> Iterator[Need]:
    """Note what meets a need; the needs that this makes."""
    name, before, running = need
    found.names.add(name)
    binding = module.at(name, before)
    if binding is None:
        if running and not is_builtin(name):
            found.undefined[name] = None
    elif binding.role == "computed":
        if running:
            found.computed[name] = binding
    else:
        if binding.role == "types" and running:
            found.types[name] = binding
        yield from _bound(module, name, binding, before, running, found)


def _bound(
    module: Module, name: str, binding: Binding, before: int, running: bool, found: Needs
) -> Iterator[Need]:
    node = module.tree.body[binding.number]
    found.nodes[node] = None
    # an import for type checkers alone is run by nobody
    yield from _of(module, node, binding.number, before, running and binding.role != "types")
    if binding.adds:
        yield name, binding.number, running
    if not running or module.imported.get(name) == "os":
        return
    held: list[tuple[str, Binding | None]] = [
        (name, binding),
        *_aliases(module, node, binding.number),
    ]
    for change in changes(module):
        if change.number < before and (change.name, change.held) in held:
            yield from _by_change(module, change, found)
            after = module.at(change.name, change.number + 1)
            if after is not None and after.node is change.node:
                held.append((change.name, after))


def _aliases(module: Module, node: ast.stmt, number: int) -> Iterator[tuple[str, Binding]]:
    """Names of the objects that an assignment gives one more name, or puts into another.

    What was put into those is among them: `dict(b)` is a new dictionary with the parts of `b`.
    """
    seen: list[tuple[str, Binding]] = []
    waiting = [(node, number)]
    while waiting:
        node, number = waiting.pop()
        if not isinstance(node, (ast.Assign, ast.AugAssign)):
            continue
        # `a += [1]` leaves a list the object it was
        parts = [node.value, node.target] if isinstance(node, ast.AugAssign) else [node.value]
        inside = [each for part in parts for each in ast.walk(part)]
        for name in {each.id for each in inside if isinstance(each, ast.Name)}:
            binding = module.at(name, number)
            if binding is None or binding.role != "constant" or (name, binding) in seen:
                continue
            seen.append((name, binding))
            waiting.append((module.tree.body[binding.number], binding.number))
            yield name, binding


def _by_change(module: Module, change: Change, found: Needs) -> Iterator[Need]:
    if not change.portable:
        found.changed[change.name] = change
        return
    found.nodes[change.node] = None
    if module.at(change.name, change.number) is change.held:
        yield change.name, change.number, True
    yield from _of(module, change.node, change.number, change.number)


def _environment(module: Module, found: Needs, waiting: list[Need]) -> bool:
    """Add changes of the environment where something that travels reads it."""
    if not any(reads_environment(node) for node in found.nodes):
        return False
    for change in changes(module):
        known = change.node in found.nodes or change.name in found.changed
        if module.imported.get(change.name) == "os" and change.name in found.names and not known:
            waiting += _by_change(module, change, found)
    return bool(waiting)


def _of(
    module: Module, node: ast.stmt, number: int, called: int, running: bool = True
) -> Iterator[Need]:
    """What a statement needs: its own names before it, those of its functions before `called`."""
    now = set(at_once(node, lazy=module.lazy))
    own = set(module.bound_by(number))
    for name in now:
        # what a block binds and uses it brings itself
        if name not in own or module.at(name, number) is not None:
            yield name, number, running
    later = module.uses(node, running=True) - now
    if isinstance(node, _DEFINITIONS):
        later = module.free.get(node.lineno, frozenset()) & set(loaded(node, lazy=module.lazy))
    for name in later:
        yield name, called, running
    for name in module.uses(node) - later - now:
        yield name, number, False
