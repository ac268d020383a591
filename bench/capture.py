"""Records a real run for the READMEs: `python -m bench.capture` writes docs/capture.txt.

The commands are those of the README, run one after the other with their output in a pipe, so that
progress comes as lines. Folders of this machine are written as a reader would see their own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.commands import ROOT

CAPTURE = ROOT / "docs" / "capture.txt"
COMMANDS = ("make up STACK=core", ".venv/bin/mlops-infra verify -s core", "make down STACK=core")


def main() -> int:
    """Run, record and show; the first command that fails ends it, and nothing is written."""
    told: list[str] = []
    for command in COMMANDS:
        lines, code = _recorded(command)
        told += [f"$ {command.removeprefix('.venv/bin/')}", *lines, ""]
        if code:
            return code
    CAPTURE.write_text("\n".join(told).rstrip() + "\n", encoding="utf-8")
    return 0


def _recorded(command: str) -> tuple[list[str], int]:
    lines: list[str] = []
    with subprocess.Popen(
        command.split(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(_neutral(line.rstrip()))
    return lines, process.returncode


def _neutral(line: str) -> str:
    for folder, written in ((ROOT, "."), (Path.home(), "~")):
        line = line.replace(str(folder), written)
    return line


if __name__ == "__main__":
    sys.exit(main())
