"""The commands that READMEs and guides tell people to type, and what runs or parses each in CI."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from mlops_infra.cli.main import PROGRAM, cli

ROOT = Path(__file__).resolve().parent.parent

SANDBOX = "tests/e2e/test_sandbox.py"
AIR_GAP = "tests/e2e/test_air_gap.py"
UNIT = "tests/unit/test_readme.py"
CLONE = "git clone REPOSITORY && cd mlops-infra"
COVERED = {
    CLONE: UNIT,
    "make up": SANDBOX,
    "make test": ".ci/run",
    "make down": SANDBOX,
    'export PATH="$PWD/.venv/bin:$PATH"': SANDBOX,
    "mlops-infra verify -s sandbox": SANDBOX,
    "mlops-infra status -s sandbox": SANDBOX,
    "mlops-infra outputs -s sandbox": SANDBOX,
    "mlops-infra licences -s sandbox": SANDBOX,
    "mlops-infra check -s sandbox": SANDBOX,
    "mlops-infra preview -s sandbox": SANDBOX,
    "mlops-infra up -s sandbox": SANDBOX,
    'eval "$(mlops-infra env -s sandbox)"': SANDBOX,
    "pulumi preview -s sandbox": SANDBOX,
    "mlops-infra bundle lock -s core -o bundle.lock": AIR_GAP,
    "mlops-infra bundle build bundle.lock -o bundle --sign-key site.key": AIR_GAP,
    "mlops-infra bundle verify bundle --key site.pub -s core": AIR_GAP,
}
"""Command to the file that runs it. `make up` and `make down` are `mlops-infra up` and `down` (a
unit test looks), which the platforms of the e2e tier are made and taken down with. Those of
bundles are typed as the guide of closed networks has them."""

PAGES = sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs").rglob("*.md"))
GUIDES = sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs" / "guide").glob("*.md"))
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_OPERATOR = set("();<>|&")


def commands(name: str) -> list[str]:
    """Every line of the blocks marked `sh`, in their order, without comments."""
    found = [body for kind, body in _BLOCK.findall(text(name)) if kind == "sh"]
    lines = [line for block in found for line in block.splitlines()]
    return [line for line in lines if line.strip() and not line.startswith("#")]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> list[str]:
    """Every block of code with the word behind its fence."""
    return ["\n".join(each) for each in _BLOCK.findall(text(name))]


def invocations(name: str) -> Iterator[tuple[list[str], bool]]:
    """The words behind each `mlops-infra`; True where a person types them as they stand.

    False for those within a sentence, which may leave out what a command cannot do without.
    """
    read = text(name)
    for block in _BLOCK.findall(read):
        for line in re.sub(r"\\\n\s*", " ", block[1]).splitlines():
            if "mlops-infra " in line:
                yield from ((words, True) for words in typed(line))
    for span in re.findall(r"`([^`\n]+)`", _BLOCK.sub("", read)):
        if "mlops-infra " in span:
            yield from ((words, False) for words in typed(span))


def typed(line: str) -> Iterator[list[str]]:
    """The words behind each `mlops-infra` of a line."""
    for inner in re.findall(r'"\$\(([^()]*)\)"', line):
        yield from typed(inner)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] | None = None
    for token in lexer:
        if set(token) <= _OPERATOR:
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token.rpartition("/")[2] == "mlops-infra":
            words = []
    if words is not None:
        yield words


def complaint(words: list[str], *, whole: bool) -> str | None:
    """What the program says of a command line, which is parsed and not run; None: nothing."""
    command: click.Command = cli
    context, left, name = None, words, PROGRAM
    try:
        while True:
            context = command.make_context(name, list(left), parent=context)
            left = [*context._protected_args, *context.args]
            if not isinstance(command, click.Group) or (not left and not whole):
                return None
            found, command_found, left = command.resolve_command(context, left)
            if command_found is None or found is None:
                return "there is no such command"
            name, command = found, command_found
    except click.exceptions.Exit:
        return None  # --help or --version
    except click.MissingParameter as error:
        return error.format_message() if whole else None
    except click.UsageError as error:
        return error.format_message()
