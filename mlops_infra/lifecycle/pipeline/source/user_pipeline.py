"""Makes a pipeline of the marked functions of a file.

Only what the steps need travels: their imports, functions, classes and constants, on the lines
where they stood, so that a traceback in the cluster names the line that the person has open.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence

from mlops_infra.errors import FoundError
from mlops_infra.lifecycle.pipeline.definition.kinds import choices, content_of, is_none, plain
from mlops_infra.lifecycle.pipeline.definition.model import (
    Code,
    Content,
    Parameter,
    Pipeline,
    Resources,
    Source,
    Step,
    Value,
)
from mlops_infra.lifecycle.pipeline.source import wiring
from mlops_infra.lifecycle.pipeline.source.checking import check
from mlops_infra.lifecycle.pipeline.source.file import Cell, SourceFile
from mlops_infra.lifecycle.pipeline.source.functions import Marked, literal, marked, step_name
from mlops_infra.lifecycle.pipeline.source.module import Module, parse
from mlops_infra.lifecycle.pipeline.source.needs import needs_of
from mlops_infra.lifecycle.pipeline.source.packages import Packages
from mlops_infra.naming import fitted, printable

RESULT = "result"
"""The one output of a step that is a function."""
_LONGEST_NAME = 40
_ORIGIN = re.compile(r"^# mlops-infra: file (?P<file>.+?)(?: cells (?P<cells>[\d:,]+))?$")


def compile_file(
    file: SourceFile,
    *,
    name: str | None = None,
    commit: str | None = None,
    packages: Packages | None = None,
) -> Pipeline:
    """The pipeline of a file.

    Raises:
        FoundError: the file has mistakes; each is named with its place.
    """
    findings = check(file, packages)
    if findings:
        raise FoundError(
            f"{file.name} has {len(findings)} mistake{'s' if len(findings) != 1 else ''}",
            [str(finding) for finding in findings],
            where=file.name,
            hint=findings[0].hint or f"mlops-infra pipeline check {file.name}",
        )
    module = parse(file.text)
    steps = list(marked(module))
    text = _travelling(file, module, steps)
    code = Code(text, hashlib.sha256(text.encode()).hexdigest(), file.name, commit)
    return _pipeline(name or name_of(file.name), module, steps, code)


def from_code(code: Code, name: str) -> Pipeline:
    """The pipeline of code that has travelled; it was checked before it left."""
    module = parse(code.text)
    return _pipeline(name, module, list(marked(module)), code)


def origin(text: str) -> SourceFile:
    """The file that travelling code came from, with its cells, to name places in it."""
    found = _ORIGIN.match(text.rstrip("\n").rpartition("\n")[2])
    if found is None:
        return SourceFile("code.py", text)
    pairs = [pair.split(":") for pair in (found["cells"] or "").split(",") if pair]
    return SourceFile(found["file"], text, tuple(Cell(int(n), int(f)) for n, f in pairs))


def name_of(file: str) -> str:
    """A pipeline's name from the name of its file; two files never share one by what is left out.

    Letters of other scripts cannot be in it: a hash stands for them, as for what is too long.
    """
    whole = file.rpartition(".")[0]
    stem = re.sub(r"[^a-z0-9]+", "-", whole.lower()).strip("-")
    name = re.sub(r"^[^a-z]+", "", stem) or "pipeline"
    if any(letter > "\x7f" and letter.isalnum() for letter in whole):
        digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:8]
        name = f"{name[: _LONGEST_NAME - 9].rstrip('-')}-{digest}"
    return fitted(name, _LONGEST_NAME)


def _pipeline(name: str, module: Module, steps: Sequence[Marked], code: Code) -> Pipeline:
    chosen: dict[str, Parameter] = {}
    for step in steps:
        for argument in wiring.parameters(step):
            if argument.default is not None and argument.annotation is not None:
                value: Value = literal(argument.default)
                # an int is a fine default of a float; the parameter's type is the annotation's
                floating = plain(argument.annotation, module.names) == "float"
                chosen[argument.name] = Parameter(
                    argument.name,
                    float(value) if floating else value,
                    choices=choices(argument.annotation, module.names),
                )
    made = [_step(module, step, {each.name for each in steps}) for step in steps]
    metrics = [Source(s.name, o) for s in made for o, c in s.outputs.items() if c == "metrics"]
    return Pipeline(
        name=name,
        parameters=tuple(chosen.values()),
        steps=(*made, _record(made, tuple(chosen))),
        description=f"From {code.file}.",
        metrics=metrics[-1] if metrics else None,
        code=code,
    )


def _step(module: Module, step: Marked, names: set[str]) -> Step:
    options = {name: literal(value) for name, value in step.options.items()}
    content = _content(module, step)
    inputs = {
        argument.name: Source(step_name(argument.name), RESULT)
        for argument in step.arguments
        if argument.default is None and argument.name in names - step.nothing
    }
    return Step(
        name=step.step,
        entry="code",
        parameters=tuple(argument.name for argument in wiring.parameters(step)),
        inputs=inputs,
        outputs={} if content is None else {RESULT: content},
        after=tuple(
            step_name(each.name) for each in step.arguments if each.name in step.nothing & names
        ),
        resources=Resources(
            cpu=options.get("cpu", Resources().cpu),
            memory=options.get("memory", Resources().memory),
            cpu_limit=options.get("cpu", Resources().cpu_limit),
        ),
        retries=options.get("retries", 0),
        timeout_seconds=options.get("timeout_seconds", 3600),
        cached=options.get("cache", False),
    )


def _content(module: Module, step: Marked) -> Content | None:
    returns = step.node.returns
    if returns is None or is_none(returns, module.names):
        return None
    return content_of(returns, module.names)


def _record(steps: Sequence[Step], parameters: tuple[str, ...]) -> Step:
    """The last step, which nobody has to write: it keeps what the others have made."""
    kept = {
        f"{step.name}-{output}": Source(step.name, output)
        for step in steps
        for output, content in step.outputs.items()
        if content in ("metrics", "model") or (content == "table" and not step.inputs)
    }
    return Step(
        name="record",
        entry="record",
        parameters=parameters,
        inputs=kept,
        outputs={"registration": "json"},
        after=tuple(step.name for step in steps),
        retries=2,
    )


def _travelling(file: SourceFile, module: Module, steps: Sequence[Marked]) -> str:
    """The module with every line blank that no step needs, and its origin in the last line."""
    needed = set(_needed(module, steps))
    kept: set[int] = set()
    for node in needed:
        kept.update(_lines(node))
    lines = file.text.split("\n")
    for node in module.tree.body:
        if node not in needed and kept.intersection(_lines(node)):
            _left_out(node, lines)
    body = "\n".join(line if n in kept else "" for n, line in enumerate(lines, 1)).rstrip("\n")
    cells = ",".join(f"{cell.number}:{cell.first}" for cell in file.cells)
    name = printable(file.name)
    return f"{body}\n# mlops-infra: file {name}{' cells ' + cells if cells else ''}\n"


def _lines(node: ast.stmt) -> range:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return range(first, (node.end_lineno or node.lineno) + 1)


def _left_out(node: ast.stmt, lines: list[str]) -> None:
    """Put `pass` in place of a statement that shares a line with one that is needed."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    end = len(lines[last].encode()[: node.end_col_offset].decode())
    start = len(lines[first].encode()[: node.col_offset].decode())
    rest = lines[last][end:]
    lines[first] = f"{lines[first][:start]}pass" + (rest if first == last else "")
    for line in range(first + 1, last + 1):
        lines[line] = rest if line == last else ""


def _needed(module: Module, steps: Sequence[Marked]) -> Iterator[ast.stmt]:
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            yield node
    for step in steps:
        yield from needs_of(module, step.node).nodes
