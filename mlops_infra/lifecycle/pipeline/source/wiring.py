"""Checks the marked functions together: names, what they hand to each other, who waits for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.kinds import content_of, is_none, plain
from mlops_infra.lifecycle.pipeline.definition.model import Parameter, Pipeline, Step
from mlops_infra.lifecycle.pipeline.source.file import SourceFile
from mlops_infra.lifecycle.pipeline.source.findings import Finding
from mlops_infra.lifecycle.pipeline.source.functions import Argument, Marked, literal
from mlops_infra.lifecycle.pipeline.source.module import Module

RESERVED = ("record",)
"""Step names that the compiler adds itself."""


def check(file: SourceFile, module: Module, steps: Sequence[Marked]) -> Iterator[Finding]:
    """What is wrong between the steps."""
    yield from _names(file, steps)
    yield from _types(file, module, steps)
    yield from _parameters(file, module, steps)
    yield from _cycles(file, steps)


def _names(file: SourceFile, steps: Sequence[Marked]) -> Iterator[Finding]:
    seen: dict[str, Marked] = {}
    for step in steps:
        place = file.place(step.line)
        if step.step in seen:
            first = file.place(seen[step.step].line)
            yield Finding("twice", f"step '{step.name}' is already defined in {first}", place)
        seen.setdefault(step.step, step)
        if step.step in RESERVED:
            yield Finding("name", f"the name '{step.name}' is reserved", place)
            continue
        try:
            Pipeline("check", (), (Step(step.step, "code"),))
        except InputError as error:
            yield Finding("name", f"'{step.name}' is not a valid step name", place, error.hint)


def _types(file: SourceFile, module: Module, steps: Sequence[Marked]) -> Iterator[Finding]:
    made = {step.name: step for step in steps}
    for step in steps:
        for argument in _inputs(step):
            source = made.get(argument.name)
            if source is None or source.node.returns is None or argument.annotation is None:
                continue
            if argument.name in step.nothing:
                continue
            if is_none(source.node.returns, module.names):
                yield Finding(
                    "type-mismatch",
                    f"step '{source.name}' returns nothing, so '{argument.name}' of step "
                    f"'{step.name}' has no value",
                    file.place(argument.line),
                    f"write {argument.name}: None to run after it",
                )
                continue
            given = content_of(source.node.returns, module.names)
            wanted = content_of(argument.annotation, module.names)
            pair = {given, wanted}
            if None in pair or len(pair) == 1 or pair == {"json", "metrics"}:
                continue
            yield Finding(
                "type-mismatch",
                f"step '{step.name}' needs a {wanted}; '{source.name}' returns a {given}",
                file.place(argument.line),
            )


def _parameters(file: SourceFile, module: Module, steps: Sequence[Marked]) -> Iterator[Finding]:
    seen: dict[str, tuple[object, str, Marked]] = {}
    names = {step.name for step in steps}
    for step in steps:
        for argument in parameters(step):
            place = file.place(argument.line)
            if argument.name in names:
                message = f"'{argument.name}' is a step and a parameter at once"
                yield Finding("name", message, place, "remove the default, or rename it")
            try:
                Parameter(argument.name, 0)
                value = literal(argument.default) if argument.default is not None else None
            except InputError as error:
                yield Finding("name", error.what, place, error.hint)
                continue
            except ValueError:
                continue  # told by `signatures` already
            kind = plain(argument.annotation, module.names) if argument.annotation else None
            held = seen.setdefault(argument.name, (value, kind or "", step))
            if held[:2] != (value, kind or ""):
                yield Finding(
                    "default",
                    f"parameter '{argument.name}' has another type or default in step "
                    f"'{held[2].name}' ({file.place(held[2].line)})",
                    place,
                    "a parameter has one value in a run: write the same in both",
                )


def _cycles(file: SourceFile, steps: Sequence[Marked]) -> Iterator[Finding]:
    names = {step.name for step in steps}
    needs = {step.name: {a.name for a in _inputs(step)} & names for step in steps}
    while free := [name for name, needed in needs.items() if not needed & set(needs)]:
        for name in free:
            del needs[name]
    for step in steps:
        if step.name in needs:
            others = ", ".join(sorted(needs[step.name] & set(needs)))
            message = f"step '{step.name}' depends on itself, through: {others}"
            yield Finding("cycle", message, file.place(step.line))


def parameters(step: Marked) -> Iterator[Argument]:
    """The arguments that a person may choose."""
    return (argument for argument in step.arguments if argument.default is not None)


def _inputs(step: Marked) -> Iterator[Argument]:
    return (argument for argument in step.arguments if argument.default is None)
