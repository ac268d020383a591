"""Checks one marked function by itself: types, defaults, what it returns, what its mark says."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition import quantities
from mlops_infra.lifecycle.pipeline.definition.arguments import parse
from mlops_infra.lifecycle.pipeline.definition.decorator import OPTIONS
from mlops_infra.lifecycle.pipeline.definition.kinds import (
    WANTED,
    choices,
    content_of,
    instead,
    plain,
)
from mlops_infra.lifecycle.pipeline.definition.model import Kind, Parameter
from mlops_infra.lifecycle.pipeline.source.file import SourceFile
from mlops_infra.lifecycle.pipeline.source.findings import Finding, Mistake
from mlops_infra.lifecycle.pipeline.source.functions import Argument, Marked, literal
from mlops_infra.lifecycle.pipeline.source.module import Module

_UNTRAVELLED = (ast.Lambda, ast.GeneratorExp)
_NOTHING: dict[Kind, str] = {"str": '""', "int": "0", "float": "0.0", "bool": "False"}


def check(
    file: SourceFile, module: Module, step: Marked, steps: Collection[str]
) -> Iterator[Finding]:
    """What is wrong with `step`; `steps` are the names of all marked functions."""

    def told(mistake: Mistake, message: str, line: int, hint: str | None = None) -> Finding:
        return Finding(mistake, message, file.place(line), hint)

    node = step.node
    if isinstance(node, ast.AsyncFunctionDef):
        yield told("signature", f"step '{step.name}' is async", step.line, "use a plain def")
    if node.args.vararg or node.args.kwarg:
        hint = "name every argument: each is a result or a parameter"
        yield told("signature", f"step '{step.name}' takes * arguments", step.line, hint)
    for each in step.arguments:
        for mistake, message, advice in _argument(module, step, each, steps):
            yield told(mistake, message, each.line, advice)
    for mistake, message, line, advice in _returned(module, step):
        yield told(mistake, message, line, advice)
    for name, value in step.options.items():
        if (wrong := _option(name, value)) is not None:
            yield told("option", f"@step of '{step.name}': {wrong}", value.lineno)


def _argument(
    module: Module, step: Marked, argument: Argument, steps: Collection[str]
) -> Iterator[tuple[Mistake, str, str | None]]:
    name, label = argument.name, f"argument '{argument.name}' of step '{step.name}'"
    if argument.annotation is None:
        yield "missing-type", f"{label} has no type", f"write {name}: TYPE"
        return
    if argument.default is None:
        if name not in steps:
            yield (
                "undeclared-input",
                f"{label} has no source: no step is called '{name}' and it has no default",
                f"name it after the step that makes it ({', '.join(steps)}), or give it a default",
            )
        elif content_of(argument.annotation, module.names) is None:
            yield "unserialisable", f"{label} has a type that cannot be passed", f"use {WANTED}"
        return
    kind = plain(argument.annotation, module.names)
    if kind is None:
        yield "default", f"{label} is a parameter: str, int, float or bool", None
        return
    yield from _default(label, kind, argument, module)


def _default(
    label: str, kind: Kind, argument: Argument, module: Module
) -> Iterator[tuple[Mistake, str, str | None]]:
    assert argument.default is not None and argument.annotation is not None  # noqa: S101, PT018
    try:
        value = literal(argument.default)
    except ValueError:
        yield "default", f"the default of {label} is computed", "write the value itself"
        return
    if value is None:
        hint = f"write a value of type {kind} that stands for none, for example {_NOTHING[kind]}"
        yield "default", f"the default of {label} is None, which is not a value", hint
        return
    given = type(value).__name__
    if given != kind and not (kind == "float" and given == "int"):
        yield "default", f"the default of {label} is {given}, not {kind}", None
        return
    try:
        parameter = Parameter(argument.name, value)
    except InputError:
        return  # told by `wiring`
    try:
        parse(replace(parameter, choices=choices(argument.annotation, module.names)), value)
    except InputError as error:
        yield "default", f"the default of {label}: {error.what}", error.hint


def _returned(module: Module, step: Marked) -> Iterator[tuple[Mistake, str, int, str | None]]:
    returns = step.node.returns
    if returns is None:
        message = f"step '{step.name}' does not say what it returns"
        yield "missing-type", message, step.line, "write -> TYPE, or -> None"
    elif content_of(returns, module.names) is None:
        message = f"what step '{step.name}' returns cannot be passed to another process"
        yield "unserialisable", message, returns.lineno, instead(returns, module.names)
    for node in _own_nodes(step.node):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            message = f"step '{step.name}' is a generator: its values exist in its process only"
            yield "unserialisable", message, node.lineno, "return a list or a table"
        elif isinstance(node, ast.Return) and isinstance(node.value, _UNTRAVELLED):
            message = f"step '{step.name}' returns a function or a generator"
            yield "unserialisable", message, node.lineno, "return data"


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions inside of it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            yield child
            yield from _own_nodes(child)


def _option(name: str, value: ast.expr) -> str | None:
    if name not in OPTIONS:
        return f"no such option: '{name}', only {', '.join(OPTIONS)}"
    try:
        given = literal(value)
    except ValueError:
        return f"{name} is computed; write the value itself"
    if type(given) is not OPTIONS[name]:
        return f"{name} is {type(given).__name__}, not {OPTIONS[name].__name__}"
    wrong = _LIMITS[name](given) if name in _LIMITS else None
    return None if wrong is None else f"{name}: {wrong}"


def _outside(least: int, most: int) -> Callable[[int], str | None]:
    return lambda n: None if least <= n <= most else f"{n} is not between {least} and {most}"


_LIMITS: dict[str, Callable[[Any], str | None]] = {
    "cpu": quantities.wrong_cpu,
    "memory": quantities.wrong_memory,
    "retries": _outside(0, quantities.MOST_RETRIES),
    "timeout_seconds": _outside(1, quantities.LONGEST_SECONDS),
}
