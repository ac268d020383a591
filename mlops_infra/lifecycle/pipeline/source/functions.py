"""The marked functions of a module, read without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_infra.lifecycle.pipeline.definition.kinds import PUBLIC, dotted
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

    @property
    def line(self) -> int:
        """Line of its `def`."""
        return self.node.lineno

    @property
    def step(self) -> str:
        """Its name as a step."""
        return self.name.replace("_", "-").strip("-").lower()


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
                yield Marked(node.name, node, tuple(_arguments(node.args)), options)
                break


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
