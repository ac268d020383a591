"""Finds what would stop a person's pipeline in the cluster, before it goes there.

Nothing is run: a notebook's cells may take hours. So what can be found is what the text tells.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from mlops_infra.lifecycle.pipeline.source import signatures, wiring
from mlops_infra.lifecycle.pipeline.source.file import Place, SourceFile
from mlops_infra.lifecycle.pipeline.source.findings import Finding
from mlops_infra.lifecycle.pipeline.source.functions import Marked, marked
from mlops_infra.lifecycle.pipeline.source.module import Binding, Module, parse
from mlops_infra.lifecycle.pipeline.source.packages import Packages

MOST_STEPS = 60


def check(file: SourceFile, packages: Packages | None = None) -> list[Finding]:
    """All mistakes of a file, in its order; an empty list means that it can be compiled."""
    try:
        module = parse(file.text)
    except SyntaxError as error:
        place = file.place(error.lineno or 1)
        return [Finding("syntax", f"not valid Python: {error.msg}", place)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [Finding("syntax", f"this cannot be parsed: {error}", Place(1))]
    steps = list(marked(module))
    if not steps:
        hint = "from mlops_infra.pipelines import step, and write @step above a function"
        return [Finding("no-steps", "no function is marked with @step", file.place(1), hint)]
    found = list(_found(file, module, steps, packages or Packages.of_runtime_image()))
    return sorted(dict.fromkeys(found), key=lambda f: (f.place.cell or 0, f.place.line))


def _found(
    file: SourceFile, module: Module, steps: list[Marked], packages: Packages
) -> Iterator[Finding]:
    if len(steps) > MOST_STEPS:
        yield Finding("size", f"{len(steps)} steps; the maximum is {MOST_STEPS}", file.place(1))
    for step in steps:
        yield from signatures.check(file, module, step, [each.name for each in steps])
        yield from _names(file, module, step)
        yield from _imports(file, module, step, packages)
    yield from wiring.check(file, module, steps)


def _names(file: SourceFile, module: Module, step: Marked) -> Iterator[Finding]:
    for node in ast.walk(step.node):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield Finding(
                "global",
                f"step '{step.name}' changes the global {', '.join(node.names)}",
                file.place(node.lineno),
                "no other step sees the change: return the value instead",
            )
    for name, binding in module.reach(step.name).items():
        line = file.place(module.line_of(name, step.node))
        if binding is None:
            yield Finding("undefined", f"'{name}' is not defined", line)
        elif binding.role == "computed":
            where = file.place(binding.node.lineno)
            yield Finding(
                "global",
                f"step '{step.name}' uses '{name}', which is computed in {where}: "
                "it does not exist in the step's own process",
                line,
                f"make it an argument of '{step.name}', or compute it inside",
            )


def _imports(
    file: SourceFile, module: Module, step: Marked, packages: Packages
) -> Iterator[Finding]:
    told: Callable[[str, int], Iterator[Finding]] = lambda name, line: _missing(  # noqa: E731
        file, name, line, packages
    )
    for binding in module.reach(step.name).values():
        if binding is not None and binding.role == "import":
            yield from _of(binding, told)
        elif binding is not None and binding.role == "definition":
            yield from _inside(binding.node, told)
    yield from _inside(step.node, told)


def _inside(node: ast.AST, told: Callable[[str, int], Iterator[Finding]]) -> Iterator[Finding]:
    for each in ast.walk(node):
        if isinstance(each, (ast.Import, ast.ImportFrom)):
            yield from _of(Binding("import", each), told)


def _of(binding: Binding, told: Callable[[str, int], Iterator[Finding]]) -> Iterator[Finding]:
    node = binding.node
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from told(alias.name, node.lineno)
    elif isinstance(node, ast.ImportFrom):
        yield from told("." * node.level + (node.module or ""), node.lineno)


def _missing(file: SourceFile, name: str, line: int, packages: Packages) -> Iterator[Finding]:
    if name.startswith("."):
        message = "a relative import: only this file is sent"
        yield Finding("import", message, file.place(line), "put the function into this file")
    elif not packages.has(name):
        yield Finding(
            "import",
            f"'{name.partition('.')[0]}' is not in the runtime image",
            file.place(line),
            packages.hint,
        )
