"""Every command that a message names exists, takes the options named, and needs no others.

Texts are read from the source; nothing is run. What is filled in at run time counts as a value;
words in lower case behind a command's last option are the sentence going on. In the packages of
`MARKED` a command that a sentence goes on behind stands between backticks, so it is parsed whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from mlops_infra.cli.main import cli
from tests.readme import ROOT, complaint, typed

SOURCES = ("mlops_infra", "offline_bundle", "stacks")
MARKED = (
    "offline_bundle",
    "mlops_infra/images",
    "mlops_infra/toolchain",
    "mlops_infra/transport",
    "mlops_infra/cli/bundle",
    "mlops_infra/cli/images",
    "mlops_infra/cli/toolchain",
)
_NAME = "mlops-infra "
VALUE = "VALUE"
"""Stands for what is filled in at run time."""
_COMMAND = re.compile(r"\bmlops-infra ((?:[^\s`]+ ?)+)")
_TRAILING = ".,:;!?)]}'\"`…"
HINTS = ("hint", "advice", "suggestion")


class Text(NamedTuple):
    """A text of the program and where it stands."""

    where: str
    text: str
    is_hint: bool


@cache
def texts() -> tuple[Text, ...]:
    """All texts but docstrings, the alerts' annotations included."""
    found = [text for name in SOURCES for text in _of_package(ROOT / name)]
    for file in sorted((ROOT / "charts" / "prometheus").glob("[ft]*/*.[yt]*")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            found.append(Text(f"{file.relative_to(ROOT)}:{number}", line, "hint:" in line))
    return tuple(found)


def _of_package(folder: Path) -> Iterator[Text]:
    for file in sorted(folder.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        if _NAME not in source:
            continue  # the quick way past most files
        tree = ast.parse(source)
        constants = _constants(tree)
        skipped = set(_docstrings(tree))
        hints = {id(node) for node in _hints(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                skipped.update(id(part) for part in node.values)
            elif not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            if id(node) not in skipped:
                where = f"{file.relative_to(ROOT)}:{node.lineno}"
                yield Text(where, _text(node, constants), id(node) in hints)


def _constants(tree: ast.Module) -> dict[str, str]:
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def _docstrings(tree: ast.Module) -> Iterator[int]:
    """Texts that stand alone: docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def _hints(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in HINTS:
            yield from ast.walk(node.value)
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id.lower().strip("_").endswith(HINTS)
            for target in node.targets
        ):
            yield from ast.walk(node.value)


def _text(node: ast.Constant | ast.JoinedStr | ast.AST, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            name = part.value.id if isinstance(part.value, ast.Name) else ""
            parts.append(constants.get(name, VALUE))
    return "".join(parts)


def named(text: str) -> Iterator[list[str]]:
    """The words behind each `mlops-infra` of a text."""
    for match in _COMMAND.finditer(text):
        yield match[1].split()


def problem(words: list[str], *, is_hint: bool) -> str | None:
    """What is wrong with a command that a text names; None where nothing is."""
    command, rest = _resolved(words)
    name = " ".join(words[: len(words) - len(rest)]).rstrip(_TRAILING)
    if command is cli:
        word = rest[0].rstrip(_TRAILING) if rest else ""
        plain = word.startswith("-") or not is_hint
        return None if plain or word == VALUE else f"no such command: '{word}'"
    if isinstance(command, click.Group):
        first = rest[0].rstrip(_TRAILING) if rest else ""
        if first == "--help" or (not first and not is_hint):
            return None
        return f"'{first}' is no command of {name}"
    wrong = _usage(command, rest) if is_hint else _options(command, rest)
    return f"{name} {wrong}" if wrong else None


def _resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = cli
    rest = list(words)
    while rest and isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), rest[0].rstrip(_TRAILING))
        if inner is None:
            break
        ended = rest[0] != rest[0].rstrip(_TRAILING)
        command, rest = inner, ([] if ended else rest[1:])
    return command, rest


def _known(command: click.Command) -> dict[str, click.Option]:
    found = {
        name: each
        for each in command.params
        if isinstance(each, click.Option)
        for name in (*each.opts, *each.secondary_opts)
    }
    # `commands` adds it when it loads a command
    found.setdefault("-v", click.Option(["-v"], is_flag=True))
    return found


def _options(command: click.Command, rest: list[str]) -> str | None:
    known = _known(command)
    for word in rest:
        plain = word.rstrip(_TRAILING)
        if plain.startswith("-") and len(plain) > 1 and plain not in ("--help", "-h"):
            if plain not in known:
                return f"has no option {plain}"
            continue
    return None


def _usage(command: click.Command, rest: list[str]) -> str | None:
    """Read options and arguments as far as they are some; what is required must be among them."""
    known, given, arguments = _known(command), set[str](), 0
    if rest[:1] == ["--help"]:
        return None
    words = list(rest)
    while words:
        raw = words.pop(0)
        word = raw.rstrip(_TRAILING)
        if word.startswith("-") and len(word) > 1:
            option = known.get(word.partition("=")[0])
            if option is None:
                return f"has no option {word}"
            given.add(str(option.name))
            if not option.is_flag and "=" not in word:
                if not words:
                    return f"{word} has no value"
                raw = words.pop(0)
        elif _is_value(word):
            arguments += 1
        else:
            break
        if raw != raw.rstrip(_TRAILING) and not raw.endswith(("}", "]", "'")):
            break
    return _missing(command, given, arguments)


def _is_value(word: str) -> bool:
    return any(c.isupper() or c in "/<." for c in word)


def _missing(command: click.Command, given: set[str], arguments: int) -> str | None:
    for each in command.params:
        if isinstance(each, click.Option) and each.required and each.name not in given:
            return f"needs {each.opts[0]}"
    needed = sum(1 for p in command.params if isinstance(p, click.Argument) and p.required)
    if arguments < needed:
        return f"needs {needed} argument(s), {arguments} given"
    return None


def test_every_command_that_a_text_names_is_one() -> None:
    found = [
        f"{text.where}: mlops-infra {' '.join(words)}: {wrong}"
        for text in texts()
        for words in named(text.text)
        if (wrong := problem(words, is_hint=text.is_hint)) is not None
    ]
    assert found == []


def test_texts_are_found() -> None:
    """The reader sees what it is there for: commands in dozens of hints."""
    hints = [text for text in texts() if text.is_hint]
    assert sum(1 for text in hints for _ in named(text.text)) > 80


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("mlops-infra up -s VALUE", None),
        ("mlops-infra up", "up needs -s"),
        ("mlops-infra up -s VALUE --nosuch", "up has no option --nosuch"),
        ("mlops-infra status -s STACK shows its Pod", None),
        ("mlops-infra status shows its Pod", "status needs -s"),
        ("mlops-infra nosuch", "no such command"),
        ("mlops-infra bundle nosuch", "no command of bundle"),
        ("mlops-infra bundle verify lists them", "bundle verify needs 1 argument"),
        ("mlops-infra bundle verify DIR lists them", None),
        ("then: mlops-infra check -s VALUE, or ask", None),
        ("mlops-infra bundle install --help", None),
    ],
)
def test_wrong_hints_are_seen(text: str, wrong: str | None) -> None:
    (words,) = named(text)
    found = problem(words, is_hint=True)
    assert (found is None) if wrong is None else wrong in (found or "")


def marked(text: str) -> list[str]:
    """The commands in a text: between backticks, in `$(…)`, else from the name to the end."""
    quoted = [each for each in re.findall(r"`([^`\n]+)`", text) if each.startswith(_NAME)]
    rest = re.sub(r"`[^`\n]+`", "", text)
    inner = [each for each in re.findall(r"\$\(([^()]+)\)", rest) if each.startswith(_NAME)]
    rest = re.sub(r"\$\([^()]+\)", "", rest)
    to_the_end = re.findall(rf"(?:^|[:,;] ){_NAME}[a-z].*", rest)
    return [*quoted, *inner, *(each.lstrip(":,; ") for each in to_the_end)]


def texts_of(place: str) -> list[Text]:
    return [text for text in texts() if text.where.startswith(f"{place}/")]


@pytest.mark.parametrize("place", MARKED)
def test_a_marked_command_can_be_typed_as_it_stands(place: str) -> None:
    wrong = [
        f"{text.where}: {command}: {told}"
        for text in texts_of(place)
        for command in marked(text.text)
        for words in typed(command)
        if (told := complaint(words, whole=True))
    ]
    assert wrong == []


@pytest.mark.parametrize("place", MARKED)
def test_no_command_hides_in_a_sentence(place: str) -> None:
    """Of a command that is not marked neither a reader nor this test sees where it ends."""
    hidden = [
        f"{text.where}: {text.text}"
        for text in texts_of(place)
        if re.search(r"\bmlops-infra (?:bundle|images|toolchain|check|up|down|cluster) ", text.text)
        and not marked(text.text)
    ]
    assert hidden == []


def test_there_are_marked_commands_and_a_wrong_one_is_noticed() -> None:
    found = [text.text for place in MARKED for text in texts_of(place)]
    assert sum(len(marked(text)) for text in found) > 15
    assert marked("next: mlops-infra bundle build X -o DIR") == [
        "mlops-infra bundle build X -o DIR"
    ]
    (words,) = typed(marked("`mlops-infra bundle lock --nothing` does it")[0])
    assert complaint(words, whole=True)
    (words,) = typed("mlops-infra bundle build LOCK")
    assert complaint(words, whole=True), "it cannot do without -o"
