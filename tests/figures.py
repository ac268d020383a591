"""Seconds that a test has measured, for `make bench`."""

from __future__ import annotations

import json
import os
from pathlib import Path

FIGURES = os.environ.get("MLOPS_INFRA_FIGURES")
"""The file that `make bench` reads them from."""


def record(figure: str, seconds: float, what: str) -> None:
    """Show the seconds under pytest -s; keep the longest of each figure for docs/performance.md."""
    print(f"\n    {what} {seconds:.1f} s", end="")  # noqa: T201
    if FIGURES:
        file = Path(FIGURES)
        known = json.loads(file.read_text()) if file.exists() else {}
        known[figure] = max(seconds, known.get(figure, 0.0))
        file.write_text(json.dumps(known))
