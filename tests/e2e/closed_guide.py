"""The guide of closed networks as a script: what a reader types on either side, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.readme import text

GUIDE = "docs/guide/closed-network.md"
OPEN, CLOSED, BESIDE = "open side", "closed side", "closed side, in a second terminal"
NOT_RUN = "not run: "
_BLOCK = re.compile(
    r"^(?:<!-- ci: (?P<mark>[^\n]*?) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands that are typed together."""

    mark: str
    script: str


def blocks() -> list[Block]:
    """All blocks of commands.

    Raises:
        ValueError: one does not say where it is typed.
    """
    found = []
    for piece in _BLOCK.finditer(text(GUIDE)):
        mark = piece["mark"] or ""
        if piece["kind"] != "console":
            continue
        if mark not in {OPEN, CLOSED, BESIDE} and not mark.startswith(NOT_RUN):
            raise ValueError(f"where is this typed? {piece['body']}")
        script = re.sub(r"^\$ ", "", piece["body"], flags=re.M)
        found.append(Block(mark, script))
    return found


def script(side: str, *, stack: str, number: int | None = None) -> str:
    """All that is typed on one side, for another stack than the guide's; or one block of it."""
    chosen = [block.script for block in blocks() if block.mark == side]
    whole = "\n".join(chosen) if number is None else chosen[number]
    return re.sub(r"(?<=-s )core\b", stack, whole).replace(
        "Pulumi.core.yaml", f"Pulumi.{stack}.yaml"
    )
