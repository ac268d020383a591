"""The picture docs/terminal.svg: the end of a recorded run as a terminal shows it."""

from __future__ import annotations

import itertools
from pathlib import Path
from xml.sax.saxutils import escape

CAPTURE = Path(__file__).with_name("capture.txt")
LONGEST_LINE = 112
LONGEST_LIST = 6
_WIDTH, _LINE, _TOP, _LEFT = 960, 18, 58, 24
_FONT = "'DejaVu Sans Mono',ui-monospace,Menlo,Consolas,monospace"
_STYLE = (
    "text{fill:#d7dde5}.typed{fill:#fff;font-weight:bold}.done{fill:#5fd38d}.head{fill:#8ab4f8}"
    ".next{fill:#f4c96b}.quiet{fill:#8a94a3}"
)


def picture() -> str:
    """The SVG of the first two commands of the capture."""
    lines = shown(CAPTURE.read_text(encoding="utf-8").splitlines())
    height = _TOP + _LINE * len(lines) + 10
    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-labelledby="t" font-family="{_FONT}" font-size="13">'
    )
    drawn = [
        frame,
        f'<title id="t">Terminal: {escape(lines[0])}</title>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" rx="10" fill="#16191f"/>',
        *(
            f'<circle cx="{26 + 20 * index}" cy="22" r="6" fill="{colour}"/>'
            for index, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
    ]
    drawn += [_drawn(index, line) for index, line in enumerate(lines) if line]
    return "\n".join([*drawn, "</svg>"]) + "\n"


def shown(lines: list[str]) -> list[str]:
    """Without intermediate progress, and with long lists cut in the middle."""
    typed = [index for index, line in enumerate(lines) if line.startswith("$ ")]
    lines = lines[: typed[1]] if len(typed) > 1 else lines
    finished = [line for line in lines if not line.startswith(("    ", "... ", ".venv/"))]
    kept: list[str] = []
    for first, group in itertools.groupby(finished, key=lambda line: line.partition(" ")[0]):
        alike = list(group)
        if first and first != "ok" and len(alike) > LONGEST_LIST:
            alike[2:-1] = [f"           … {len(alike) - 3} more lines"]
        kept += alike
    return [_cut(line) for line in kept]


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def _drawn(index: int, line: str) -> str:
    y = _TOP + _LINE * index
    first, _, rest = line.partition(" ")
    if first == "ok":
        inner = f'<tspan class="done">ok</tspan>\u00a0{_text(rest)}'
        return f'<text x="{_LEFT}" y="{y}">{inner}</text>'
    kind = {"$": "typed", "next:": "next", "OUTPUT": "head", "OPERATION": "head"}.get(first)
    kind = "quiet" if line.lstrip().startswith("…") else kind
    mark = f' class="{kind}"' if kind else ""
    return f'<text{mark} x="{_LEFT}" y="{y}">{_text(line)}</text>'


def _text(line: str) -> str:
    """Escaped, with spaces that no viewer collapses."""
    return escape(line).replace(" ", "\u00a0")
