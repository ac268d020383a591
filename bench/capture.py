"""Records a real run for the README's picture: `python -m bench.capture` writes docs/capture.txt.

Runs the commands of the README one after the other with their output in a pipe, so that progress
comes as lines. Paths of this machine are replaced by those that a reader would see.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.commands import ROOT

CAPTURE = ROOT / "docs" / "capture.txt"
COMMANDS = (
    "make up",
    ".venv/bin/mlops-infra status -s sandbox",
    ".venv/bin/mlops-infra verify -s sandbox",
    "make down",
)


def main() -> int:
    """Run, record and show; nothing is written if a command fails."""
    recorded: list[str] = []
    for command in COMMANDS:
        lines, code = _run(command)
        recorded += [f"$ {command.removeprefix('.venv/bin/')}", *lines, ""]
        if code:
            return code
    CAPTURE.write_text("\n".join(recorded).rstrip() + "\n", encoding="utf-8")
    return 0


def _run(command: str) -> tuple[list[str], int]:
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
