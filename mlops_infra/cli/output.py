"""Results, on stdout: a table for people, one JSON document for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import PurePath
from typing import Any

import click

from mlops_infra.cli.options import session
from mlops_infra.naming import printable

_GAP = "  "
_NONE = "-"


def document(data: object) -> None:
    """Print `data` as the one JSON document of this run."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=_plain))
    session().answered = True


def text(line: str = "") -> None:
    """Print one line of a result that people read."""
    click.echo(line)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns under a heading; None becomes `-`, numbers stand to the right.

    What a terminal would obey (line breaks, tabs, turns of direction) is shown as an escape.
    """
    body = [[_NONE if cell is None else printable(str(cell)) for cell in row] for row in rows]
    lines = [[name.upper() for name in columns], *body]
    widths = [max(width(line[index]) for line in lines) for index in range(len(columns))]
    right = [_are_figures({row[index] for row in body} - {_NONE}) for index in range(len(columns))]
    for line in lines:
        cells = [
            _pad(cell, size, to_right)
            for cell, size, to_right in zip(line, widths, right, strict=True)
        ]
        click.echo(_GAP.join(cells).rstrip())


def width(value: str) -> int:
    """Columns that `value` takes on a terminal: Korean letters take two each."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in value
    )


def _pad(cell: str, size: int, to_right: bool) -> str:
    space = " " * (size - width(cell))
    return space + cell if to_right else cell + space


def _are_figures(cells: set[str]) -> bool:
    return bool(cells) and all(
        cell.removesuffix(" s").removesuffix("%").replace(".", "", 1).isdigit() for cell in cells
    )


def _plain(value: Any) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
