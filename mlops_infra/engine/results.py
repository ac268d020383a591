"""What a run of the engine came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra.engine.events import Change, Record
from mlops_infra.plan import CONTRACT


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did, or in a preview would do."""

    changes: tuple[Change, ...]
    counts: Mapping[str, int]
    """Operation -> number of resources."""
    outputs: Mapping[str, Any]

    @classmethod
    def of(cls, record: Record) -> Result:
        """From all that the run told."""
        counts = record.counts()
        if record.outputs_changed and not counts:
            counts = {"update outputs": 1}
        return cls(tuple(record.changed()), counts, promised(record.outputs or {}))

    @property
    def changed(self) -> int:
        """How many resources are touched."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        return ", ".join(f"{number} {op}" for op, number in self.counts.items()) or "no changes"


def promised(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """All keys of the platform contract in its order, then the others: the state drops nulls."""
    return {**{key: outputs.get(key) for key in CONTRACT}, **outputs}
