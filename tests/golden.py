"""Compares a text with the file that holds it; `MLOPS_INFRA_WRITE_GOLDEN=1` writes the file."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "MLOPS_INFRA_WRITE_GOLDEN"
ROOT = Path(__file__).resolve().parent.parent


def compare(file: Path, text: str) -> None:
    if os.environ.get(VARIABLE):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    held = file.read_text(encoding="utf-8") if file.exists() else ""
    assert text == held, (
        f"{file.relative_to(ROOT)} is not what the program makes now; if that is meant: "
        f"{VARIABLE}=1 python -m pytest tests/unit"
    )
