"""The marked functions of a module, read without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_infra.lifecycle.pipeline.definition.annotations import dotted
from mlops_infra.lifecycle.pipeline.definition.kinds import PUBLIC, is_none
from mlops_infra.lifecycle.pipeline.source.module import Module

MARKS = frozenset(f"{module}.step" for module in PUBLIC)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a step."""

    name: str
    line: int
    annotation: ast.expr | None
    default: ast.expr | None


@dataclass(frozen=True, slots=True)
class Marked:
    """A function that is to become a step."""

    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef
    arguments: tuple[Argument, ...]
    options: Mapping[str, ast.expr] = field(default_factory=dict)
    positional: int = 0
    """How many of the arguments can be given by position alone."""
    nothing: frozenset[str] = frozenset()
    """Arguments of type None: the step of that name comes before, and hands nothing over."""

    @property
    def line(self) -> int:
        """Line of its `def`."""
        return self.node.lineno

    @property
    def step(self) -> str:
        """Its name as a step."""
        return step_name(self.name)


def step_name(function: str) -> str:
    """What the step of a function is called."""
    return function.replace("_", "-").strip("-").lower()


def marked(module: Module) -> Iterator[Marked]:
    """The functions under `@step`, in the order of the file."""
    for node in module.tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            name = dotted(call.func if call else decorator, module.imported)
            if name in MARKS:
                options = {k.arg or "**": k.value for k in call.keywords} if call else {}
                if call and call.args:
                    options["*"] = call.args[0]
                yield _marked(node, options, module)
                break


def _marked(
    node: ast.FunctionDef | ast.AsyncFunctionDef, options: Mapping[str, ast.expr], module: Module
) -> Marked:
    arguments = tuple(_arguments(node.args))
    nothing = (
        each.name
        for each in arguments
        if each.default is None
        and each.annotation is not None
        and is_none(each.annotation, module.names)
    )
    return Marked(
        node.name, node, arguments, options, len(node.args.posonlyargs), frozenset(nothing)
    )


def literal(node: ast.expr) -> Any:
    """The value that is written out in the source.

    Raises:
        ValueError: it is not written out but computed.
    """
    try:
        return ast.literal_eval(node)
    except (TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("not written out") from error


def _arguments(arguments: ast.arguments) -> Iterator[Argument]:
    placed = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(placed) - len(arguments.defaults))
    defaults += arguments.defaults
    pairs = [*zip(placed, defaults, strict=True)]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    for each, default in pairs:
        yield Argument(each.arg, each.lineno, each.annotation, default)
