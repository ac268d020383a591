"""What `up` or `preview` came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `up` or `preview` came to."""

    stack: str
    changes: tuple[Mapping[str, object], ...]
    counts: Mapping[str, int]
    outputs: Mapping[str, Any]
    notes: tuple[str, ...]
    """What a reader must know: simulated Pods, findings of the plan."""

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "stack": self.stack,
            "changes": [dict(each) for each in self.changes],
            "counts": dict(self.counts),
            "outputs": dict(self.outputs),
            "notes": list(self.notes),
        }
