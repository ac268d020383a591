"""Which names a statement mentions, and which of them its process has to have when it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


def heads(node: Definition, *, lazy: bool) -> Iterator[str]:
    """Names that are needed before the body runs: decorators, defaults, bases, annotations.

    Annotations only where they are evaluated: not with `from __future__ import annotations`.
    """
    parts: list[ast.AST | None] = [*node.decorator_list]
    if isinstance(node, ast.ClassDef):
        parts += [*node.bases, *node.keywords]
    else:
        parts += [*node.args.defaults, *node.args.kw_defaults]
        parts += [] if lazy else annotated(node)
    for part in parts:
        if part is not None:
            yield from _names(part)


def at_once(node: ast.stmt, *, lazy: bool) -> Iterator[str]:
    """Names that a statement itself needs, not a function when it is called."""
    own: set[str] = set()
    if isinstance(node, _DEFINITIONS):
        yield from heads(node, lazy=lazy)
    if isinstance(node, ast.ClassDef):
        own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and _is_stored(n)}
    if not isinstance(node, _FUNCTIONS):
        found = loaded(node, lazy=lazy, definitions=False)
        yield from (name for name in found if name not in own)


def annotated(node: Definition) -> list[ast.expr]:
    """The annotations of a function's arguments and of what it returns."""
    if isinstance(node, ast.ClassDef):
        return []
    given = node.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    found = [each.annotation for each in arguments if each is not None]
    return [each for each in (*found, node.returns) if each is not None]


def loaded(node: ast.AST, *, lazy: bool, definitions: bool = True) -> Iterator[str]:
    """Names that the code inside of `node` mentions, without annotations that nobody evaluates.

    Args:
        node: a statement; of a function, its body.
        lazy: whether the module has `from __future__ import annotations`.
        definitions: whether to look into functions and classes inside of it.
    """
    inside = isinstance(node, _FUNCTIONS)
    body = node.body if isinstance(node, _DEFINITIONS) else [node]
    for each in body:
        yield from _loaded(each, lazy, definitions, local=inside)


def _loaded(node: ast.AST, lazy: bool, definitions: bool, *, local: bool) -> Iterator[str]:
    if isinstance(node, _DEFINITIONS):
        if definitions:
            yield from heads(node, lazy=lazy)
            inside = local or isinstance(node, _FUNCTIONS)
            for child in node.body:
                yield from _loaded(child, lazy, definitions, local=inside)
        return
    if isinstance(node, ast.Name):
        yield node.id
    own = _own_names(node)
    for part in _parts(node, lazy, local):
        found = _loaded(part, lazy, definitions, local=local)
        yield from (name for name in found if name not in own)


def _parts(node: ast.AST, lazy: bool, local: bool) -> Iterator[ast.AST]:
    """What is inside of a node, without what is not evaluated or only bound."""
    left_out: list[ast.AST] = []
    if isinstance(node, ast.AnnAssign) and (local or lazy):
        left_out = [node.annotation]
    if isinstance(node, ast.Assign) and not local:
        # what the module binds by its plain assignments it does not need
        left_out = [each for each in node.targets if isinstance(each, ast.Name)]
    return (each for each in ast.iter_child_nodes(node) if each not in left_out)


def _own_names(node: ast.AST) -> set[str]:
    """What a comprehension, a lambda or a handler binds for itself."""
    if isinstance(node, ast.ExceptHandler):
        return {node.name} if node.name else set()
    if isinstance(node, ast.Lambda):
        return {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        targets = [each.target for each in node.generators]
        return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return set()


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _names(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            yield each.id
