"""Reads YAML into plain data that remembers the line of every key.

Scalars follow YAML 1.2's core schema as Pulumi reads them: `no`, `on` and `12:30` are text, not a
boolean or a number as in YAML 1.1. Anchors, tags and duplicate keys are mistakes here: a
configuration that a person reviews must mean what it shows. The parser is driven event by event,
so that depth is bounded by `MAX_DEPTH` and not by the C stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from mlops_infra.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
WHOLE_FILE = "(file)"
"""Stands in the place of a key in problems that no key has."""

Path = tuple[str | int, ...]
Tree = dict[str, "Value"]
Value = None | bool | int | float | str | list["Value"] | Tree

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where the wheel has it, ten times faster; the same events otherwise."""

_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_INT = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a configuration came from, for messages."""

    file: str = "configuration"
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """1-based line of the key at `path`, or of the nearest parent that is in the file."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


@dataclass(slots=True)
class Document:
    """A parsed file: its data, the line of each key, and what is wrong with the YAML itself."""

    tree: Value = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def _line(event: yaml.Event) -> int:
    """1-based; every event of a parsed text has a mark."""
    return event.start_mark.line + 1 if event.start_mark else 1


class _UnreadableError(Exception):
    """The rest cannot be read; the problem is noted already."""


def read(text: str) -> Document:
    """Parse `text`; problems are collected, never raised."""
    document = Document()
    try:
        _Reader(text, document).read()
    except _UnreadableError:
        pass
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        line = mark.line + 1 if mark else None
        document.problems.append(Problem(WHOLE_FILE, f"not valid YAML: {reason}", line))
    return document


class _Reader:
    def __init__(self, text: str, document: Document) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._document = document

    def read(self) -> None:
        next(self._events)  # StreamStart
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return
        self._document.tree = self._value(next(self._events), ())
        next(self._events)  # DocumentEnd
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise self._stopped(more, (), "a second document begins here, only one is allowed")

    def _value(self, event: yaml.Event, path: Path) -> Value:
        self._check(event, path)
        if isinstance(event, yaml.ScalarEvent):
            if not event.style and _LEADING_ZERO.fullmatch(event.value):
                line = _line(event)
                reason = "a number with a leading 0 is ambiguous (octal or decimal)"
                self._note(path, reason, line, f'write "{event.value}" in quotes')
                return str(event.value)
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._mapping(path)

    def _check(self, event: yaml.Event, path: Path) -> None:
        if len(path) > MAX_DEPTH:
            raise self._stopped(event, path[:4], f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._stopped(
                event, path, "anchors and aliases are not allowed, write the value out"
            )
        if getattr(event, "tag", None) not in (None, "!"):
            raise self._stopped(event, path, "tags are not allowed, write the plain value")

    def _sequence(self, path: Path) -> list[Value]:
        items: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            here = (*path, len(items))
            self._document.lines[here] = _line(event)
            items.append(self._value(event, here))
        return items

    def _mapping(self, path: Path) -> Tree:
        tree: Tree = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._check(event, path)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._stopped(event, path, "a key must be plain text")
            key = str(event.value)
            here = (*path, key)
            line = _line(event)
            value = self._value(next(self._events), here)
            if key in tree:
                self._note(here, f"'{key}' is written twice", line, "keep one of them")
                continue
            self._document.lines[here] = line
            tree[key] = value
        return tree

    def _note(self, path: Path, message: str, line: int, advice: str | None = None) -> None:
        self._document.problems.append(Problem(dotted(path), message, line, advice))

    def _stopped(self, event: yaml.Event, path: Path, message: str) -> _UnreadableError:
        self._note(path, message, _line(event))
        return _UnreadableError()


def dotted(path: Path) -> str:
    """`("endpoints", "a", "variants", 0)` as `endpoints.a.variants[0]`."""
    if not path:
        return WHOLE_FILE
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _scalar(event: yaml.ScalarEvent) -> Value:
    text: str = event.value
    if event.style:  # quoted or block: text, whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text) if _FLOAT.fullmatch(text) else text
