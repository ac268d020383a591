"""Finds what would stop a person's pipeline in the cluster, before it goes there.

Nothing is run: a notebook's cells may take hours. So what can be found is what the text tells.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from mlops_infra.lifecycle.pipeline.source import portable, signatures, state, wiring
from mlops_infra.lifecycle.pipeline.source.file import Place, SourceFile
from mlops_infra.lifecycle.pipeline.source.findings import Finding
from mlops_infra.lifecycle.pipeline.source.functions import Marked, marked
from mlops_infra.lifecycle.pipeline.source.module import Module, parse
from mlops_infra.lifecycle.pipeline.source.needs import Needs, needs_of
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
    needs = {step.name: needs_of(module, step.node) for step in steps}
    for step in steps:
        yield from signatures.check(file, module, step, [each.name for each in steps])
        yield from _names(file, module, step, needs[step.name])
        yield from _state(file, module, step, needs)
        yield from _imports(file, module, needs[step.name], packages)
    yield from wiring.check(file, module, steps)


def _names(file: SourceFile, module: Module, step: Marked, needs: Needs) -> Iterator[Finding]:
    for node in ast.walk(step.node):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield Finding(
                "global",
                f"step '{step.name}' changes the global {', '.join(node.names)}",
                file.place(node.lineno),
                "no other step sees the change: return the value instead",
            )
    for name in needs.undefined:
        yield _undefined(file, module, step, name)
    for name, binding in needs.computed.items():
        yield Finding(
            "global",
            f"step '{step.name}' uses '{name}', which is computed in "
            f"{file.place(binding.node.lineno)}: it does not exist in the step's own process",
            file.place(module.line_of(name, step.node)),
            f"make it an argument of '{step.name}', or compute it inside",
        )
    for name, binding in needs.types.items():
        yield Finding(
            "import",
            f"step '{step.name}' uses '{name}', which {file.place(binding.node.lineno)} imports "
            "for type checkers alone",
            file.place(module.line_of(name, step.node)),
            "import it without `if TYPE_CHECKING`, or inside of the step; for annotations: "
            "from __future__ import annotations",
        )


def _undefined(file: SourceFile, module: Module, step: Marked, name: str) -> Finding:
    line = file.place(module.line_of(name, step.node))
    if not module.stars:
        return Finding("undefined", f"'{name}' is not defined", line)
    star = module.stars[-1]
    package = "." * star.level + (star.module or "")
    return Finding(
        "undefined",
        f"step '{step.name}' uses '{name}', which is not defined, unless "
        f"`from {package} import *` in {file.place(star.lineno)} brings it: "
        "only running it would tell",
        line,
        f"write from {package} import {name}",
    )


def _state(
    file: SourceFile, module: Module, step: Marked, needs: Mapping[str, Needs]
) -> Iterator[Finding]:
    for name, change in needs[step.name].changed.items():
        yield Finding(
            "global",
            f"step '{step.name}' uses '{name}', which is changed in "
            f"{file.place(change.node.lineno)} by what only a run of the file can tell: "
            "the step's own process would not see the change",
            file.place(module.line_of(name, step.node)),
            "do this inside of the step"
            if name in module.imported
            else f"make '{name}' an argument of '{step.name}', or change it inside",
        )
    outside = module.free.get(step.node.lineno, frozenset())
    for name in sorted(outside & set(state.changed(step.node, module))):
        binding = module.bindings.get(name)
        others = [each for each in needs if each != step.name and name in needs[each].names]
        if binding is not None and binding.role == "constant" and others:
            yield Finding(
                "global",
                f"step '{step.name}' changes '{name}', which step '{others[0]}' uses: "
                "each of them has a process and a copy of its own",
                file.place(module.line_of(name, step.node)),
                "return the value instead",
            )


def _imports(
    file: SourceFile, module: Module, needs: Needs, packages: Packages
) -> Iterator[Finding]:
    for node in needs.nodes:
        for each in _needed_imports(node, module):
            for name in _modules(each):
                yield from _missing(file, name, each.lineno, packages)


def _needed_imports(node: ast.AST, module: Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that must succeed: not those for type checkers, nor those that may fail."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield node
        return
    if isinstance(node, ast.stmt) and portable.is_type_checking(node, module.imported):
        inner: list[ast.AST] = [*node.orelse] if isinstance(node, ast.If) else []
    elif isinstance(node, ast.Try) and portable.covers_absence(node.handlers):
        inner = [*node.orelse, *node.finalbody]
    elif isinstance(node, ast.expr):
        inner = []
    else:
        inner = list(ast.iter_child_nodes(node))
    for each in inner:
        yield from _needed_imports(each, module)


def _modules(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    else:
        yield "." * node.level + (node.module or "")


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
