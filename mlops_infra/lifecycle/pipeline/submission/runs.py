"""Names of runs: sortable by time, different each time, fit for every engine."""

from __future__ import annotations

import datetime
import secrets

LONGEST = 52


def new_run(pipeline: str) -> str:
    """For example `tabular-classification-1121-0907-4f3a2b`."""
    now = datetime.datetime.now(datetime.UTC)
    tail = f"{now:%m%d-%H%M}-{secrets.token_hex(3)}"
    return f"{pipeline[: LONGEST - len(tail) - 1].rstrip('-')}-{tail}"
