"""The guides as scripts: what a reader types, in order, and what CI does with each block.

A comment before a block says what CI does with it, where that is not plain:

    <!-- ci: in a second terminal -->     runs beside what follows, to the end of the section
    <!-- ci: into the stack's file -->    the configuration is added to it
    <!-- ci: out of the stack's file -->  what was added is taken out, then the block is run
    <!-- ci: checked -->                  `mlops-infra check` takes a stack with it
    <!-- ci: refused -->                  `mlops-infra check` refuses a stack with it
    <!-- ci: file flowers.py -->          it is written to that file, here and in the notebook
    <!-- ci: in the notebook -->          a cell, or a command of its terminal
    <!-- ci: not run: REASON -->          reported as skipped, with the reason
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.readme import text

WALKED = ("first-model", "a-tenants-day", "kserve-or-seldon")
SECOND, INTO, OUT_OF = "in a second terminal", "into the stack's file", "out of the stack's file"
CHECKED, REFUSED, NOTEBOOK = "checked", "refused", "in the notebook"
FILE, NOT_RUN = "file ", "not run: "
_MARKS = (SECOND, INTO, OUT_OF, CHECKED, REFUSED, NOTEBOOK)
_PIECE = re.compile(
    r"^(?P<heading>#+ [^\n]*)$|"
    r"^(?:<!-- ci: (?P<mark>[^\n]*?) -->\n\s*)?```(?P<kind>\w+)\n(?P<body>.*?)^```$",
    re.M | re.S,
)
_HEREDOC = re.compile(r"<<-?'?(\w+)'?")
_OUTPUT = ("text", "json")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code of a guide."""

    guide: str
    section: int
    """Counted by headings."""
    kind: str
    """The word behind its fence."""
    mark: str
    """What CI does with it; empty for commands that are simply run."""
    body: str

    @property
    def not_run(self) -> str | None:
        """Why it is not run; None where it is."""
        return self.mark.removeprefix(NOT_RUN) if self.mark.startswith(NOT_RUN) else None

    @property
    def file(self) -> str | None:
        """The file that it is written to."""
        return self.mark.removeprefix(FILE) if self.mark.startswith(FILE) else None


@dataclass(frozen=True, slots=True)
class Command:
    """One command with what the guide shows of its output."""

    typed: str
    shown: str


def blocks(guide: str) -> list[Block]:
    """The blocks of `docs/guide/<guide>.md` that are no mere output, in their order.

    Raises:
        ValueError: a block says nothing of what CI does with it, or something unknown.
    """
    found, section = [], 0
    for piece in _PIECE.finditer(text(f"docs/guide/{guide}.md")):
        if piece["heading"]:
            section += 1
            continue
        block = Block(guide, section, piece["kind"], piece["mark"] or "", piece["body"])
        if block.mark or block.kind not in _OUTPUT:
            _known(block)
            found.append(block)
    return found


def _known(block: Block) -> None:
    special = block.not_run or block.file or block.mark in _MARKS
    if not special and (block.mark or block.kind != "console"):
        head = block.body.partition("\n")[0]
        raise ValueError(f"{block.guide}: what does CI do with the {block.kind} '{head}'?")


def commands(body: str) -> list[Command]:
    """The commands of a `console` block: behind `$ `, with continued lines and here-documents."""
    found: list[Command] = []
    lines = body.splitlines()
    while lines:
        line = lines.pop(0)
        if not line.startswith("$ "):
            raise ValueError(f"no command: {line}")
        typed = [line.removeprefix("$ ")]
        while typed[-1].endswith("\\"):
            typed.append(lines.pop(0))
        heredoc = _HEREDOC.search("\n".join(typed))
        while heredoc and typed[-1] != heredoc[1]:
            typed.append(lines.pop(0))
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        found.append(Command("\n".join(typed), "\n".join(shown)))
    return found


def not_run() -> list[Block]:
    """Every block that no machine of CI can run."""
    return [block for guide in WALKED for block in blocks(guide) if block.not_run]
