"""Reads a Python file or a notebook as one module that knows where each line stood."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_infra.errors import InputError

LARGEST = 20 << 20
"""Bytes of a file; outputs of a notebook count."""
_WHOLE_CELL = re.compile(r"^\s*%%(?!(?:time|timeit|capture|prun)\b)")
_TIMED = re.compile(r"^(?P<indent>\s*)%time\s+(?P<code>\S.*)$")
_MAGIC = re.compile(r"^(?P<indent>\s*)(?:[%!?]|[\w.*]+\?{1,2}\s*$)")
_ASSIGNED_MAGIC = re.compile(r"""^(?P<start>\s*[A-Za-z_][\w.,\s\[\]'"]*=\s*)[%!]""")


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a code cell of a notebook begins in the module."""

    number: int
    """Among all cells of the notebook, from 1."""
    first: int
    """1-based line of the module."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the file that a person has open."""

    line: int
    cell: int | None = None

    def __str__(self) -> str:
        return f"line {self.line}" if self.cell is None else f"cell {self.cell}, line {self.line}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as one module."""

    name: str
    """File name without folders."""
    text: str
    cells: tuple[Cell, ...] = ()
    """Empty for a plain Python file."""

    def place(self, line: int) -> Place:
        """Cell and line of a line of the module."""
        cell = next((each for each in reversed(self.cells) if each.first <= line), None)
        return Place(line) if cell is None else Place(line - cell.first + 1, cell.number)


def read(path: Path) -> SourceFile:
    """Read a `.py` or `.ipynb` file.

    Raises:
        InputError: neither of them, unreadable, or not what its name says.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"the file is larger than {LARGEST >> 20} MB", where=str(path))
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=str(path)) from error
    text = _decoded(body, path)
    if "\0" in text:
        raise InputError("the file is not a text", where=str(path))
    if path.suffix == ".ipynb":
        return notebook(path.name, text)
    if path.suffix == ".py":
        return SourceFile(path.name, text)
    raise InputError("only .py and .ipynb files can be pipelines", where=str(path))


def _decoded(body: bytes, path: Path) -> str:
    """The text in UTF-8, or in what the first lines of a Python file say (PEP 263)."""
    try:
        encoding = "utf-8-sig"
        if path.suffix == ".py":
            encoding, _ = tokenize.detect_encoding(io.BytesIO(body).readline)
        text = body.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"the encoding of the file is not known: {error}",
            where=str(path),
            hint="save it as UTF-8, or name its encoding in the first line: # coding: cp949",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def notebook(name: str, text: str) -> SourceFile:
    """Join the code cells of a notebook (format 4) to a module; magics become empty lines.

    Raises:
        InputError: the text is not a notebook.
    """
    lines: list[str] = []
    cells: list[Cell] = []
    for number, source in _code_cells(name, text):
        cells.append(Cell(number, len(lines) + 1))
        lines += _without_magics(source).split("\n")
    return SourceFile(name, "\n".join(lines) + "\n", tuple(cells))


def _code_cells(name: str, text: str) -> Iterator[tuple[int, str]]:
    try:
        read = json.loads(text)
        for number, cell in enumerate(list(read["cells"]), 1):
            if cell["cell_type"] == "code":
                yield number, _source(cell)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"not a notebook of format 4: {error}",
            where=name,
            hint="open it in JupyterLab and save it again",
        ) from error


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    joined = source if isinstance(source, str) else "".join(source)
    return joined.replace("\r\n", "\n").replace("\r", "\n")


def _without_magics(source: str) -> str:
    if _WHOLE_CELL.match(source):
        return "\n".join("" for _ in source.split("\n"))
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(_plain(source.split("\n")))
    return source


def _plain(lines: list[str]) -> Iterator[str]:
    """The lines with IPython's own taken out; what is inside of a string or a bracket stays."""
    number = 0
    while number < len(lines):
        if timed := _TIMED.match(lines[number]):
            lines[number] = f"{timed['indent']}{timed['code']}"
        replaced = _replaced(lines[number])
        end = _statement(lines, number) if replaced is None else _command(lines, number)
        if replaced is None:
            yield from lines[number:end]
        else:
            yield from [replaced, *([""] * (end - number - 1))]
        number = end


def _replaced(line: str) -> str | None:
    """What stands in place of a line of IPython; None where it is Python."""
    if found := _ASSIGNED_MAGIC.match(line):
        return f"{found['start']}None"
    if found := _MAGIC.match(line):
        # an indented magic may be all that a block holds
        return f"{found['indent']}pass" if found["indent"] else ""
    return None


def _command(lines: Sequence[str], start: int) -> int:
    """The line after a command of IPython: each of its lines but the last ends in a backslash."""
    for number in range(start, len(lines)):
        if not lines[number].rstrip().endswith("\\"):
            return number + 1
    return len(lines)


def _statement(lines: Sequence[str], start: int) -> int:
    """The line after the logical line of Python that begins at `start`."""
    texts = (f"{lines[number]}\n" for number in range(start, len(lines)))
    ends = (tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER)
    depth = 0
    try:
        for token in tokenize.generate_tokens(lambda: next(texts, "")):
            if token.type == tokenize.OP:
                depth += (token.string in "([{") - (token.string in ")]}")
            if token.type in ends and depth <= 0:
                return max(start + 1, min(start + token.end[0], len(lines)))
    except tokenize.TokenError:
        return len(lines)  # an open string or bracket: the parser says where
    except SyntaxError:
        return start + 1
    return len(lines)
