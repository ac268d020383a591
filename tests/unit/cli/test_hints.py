"""Every command that a message names exists, takes those options, and is whole.

Texts are read out of the source, and parsed by the program's own commands; nothing is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme import ROOT, complaint, typed

PLACES = (
    "offline_bundle",
    "mlops_infra/images",
    "mlops_infra/toolchain",
    "mlops_infra/transport",
    "mlops_infra/cli/bundle",
    "mlops_infra/cli/images",
    "mlops_infra/cli/toolchain",
)
_NAME = "mlops-infra "


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Every text of a file but docstrings; what is filled in later is `X`."""
    source = file.read_text("utf-8")
    if _NAME not in source:
        return
    tree = ast.parse(source)
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(node.value)  # a docstring
        if isinstance(node, ast.JoinedStr):
            inside |= set(ast.walk(node)) - {node}
    for node in ast.walk(tree):
        if node in inside:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values)
            yield node.lineno, "".join(parts)


def commands(text: str) -> list[str]:
    """The commands in a text: between backticks, in `$(…)`, else from the name to the end."""
    quoted = [each for each in re.findall(r"`([^`\n]+)`", text) if each.startswith(_NAME)]
    rest = re.sub(r"`[^`\n]+`", "", text)
    inner = [each for each in re.findall(r"\$\(([^()]+)\)", rest) if each.startswith(_NAME)]
    rest = re.sub(r"\$\([^()]+\)", "", rest)
    to_the_end = re.findall(rf"(?:^|[:,;] ){_NAME}[a-z].*", rest)
    return [*quoted, *inner, *(each.lstrip(":,; ") for each in to_the_end)]


def sources(place: str) -> list[Path]:
    return sorted((ROOT / place).rglob("*.py"))


@pytest.mark.parametrize("place", PLACES)
def test_a_hint_names_a_command_that_can_be_typed(place: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {command}: {told}"
        for file in sources(place)
        for line, text in texts(file)
        for command in commands(text)
        for words in typed(command)
        if (told := complaint(words, whole=True))
    ]
    assert wrong == []


@pytest.mark.parametrize("place", PLACES)
def test_no_command_hides_in_a_sentence(place: str) -> None:
    """Of a command that is not marked neither a reader nor this test sees where it ends."""
    hidden = [
        f"{file.relative_to(ROOT)}:{line}: {text}"
        for file in sources(place)
        for line, text in texts(file)
        if re.search(r"\bmlops-infra (?:bundle|images|toolchain|check|up|down|cluster) ", text)
        and not commands(text)
    ]
    assert hidden == []


def test_everywhere_a_command_that_is_named_exists_with_its_options() -> None:
    """Of the other packages too, whose texts may go on behind the command."""
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {command}"
        for place in ("mlops_infra", "offline_bundle", "stacks")
        for file in sources(place)
        for line, text in texts(file)
        for command in commands(text)
        for words in typed(command)
        if not begins_well(words)
    ]
    assert wrong == []


def begins_well(words: list[str]) -> bool:
    """Whether the program takes the words, or all of them up to a rest without options."""
    for end in range(len(words), 0, -1):
        if any(word.startswith("-") for word in words[end:]):
            return False
        if complaint(words[:end], whole=False) is None:
            return True
    return False


def test_there_are_such_texts_and_a_wrong_one_is_noticed() -> None:
    found = [text for place in PLACES for file in sources(place) for _, text in texts(file)]
    assert sum(len(commands(text)) for text in found) > 15
    assert commands("next: mlops-infra bundle build X -o DIR") == [
        "mlops-infra bundle build X -o DIR"
    ]
    (words,) = typed(commands("`mlops-infra bundle lock --nothing` does it")[0])
    assert complaint(words, whole=True)
    (words,) = typed("mlops-infra bundle build LOCK")
    assert complaint(words, whole=True), "it cannot do without -o"
