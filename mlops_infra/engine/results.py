"""What a run of the engine came to, and what `up` or `preview` makes of it for its reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mlops_infra.engine.events import Change, RunLog
from mlops_infra.engine.live_objects import LiveState
from mlops_infra.plan import CONTRACT
from mlops_infra.plan.images.reality import ComponentPods


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did, or in a preview would do."""

    changes: tuple[Change, ...]
    counts: Mapping[str, int]
    """Operation -> number of resources."""
    outputs: Mapping[str, Any]
    live: LiveState = field(default_factory=LiveState)
    """What somebody had deleted or changed in the cluster."""

    @classmethod
    def of(cls, log: RunLog) -> Result:
        """From all that the run told."""
        counts = log.counts()
        if log.outputs_changed and not counts:
            counts = {"update outputs": 1}
        return cls(tuple(log.changed()), counts, promised(log.outputs or {}))

    @classmethod
    def unchanged(cls, outputs: Mapping[str, Any]) -> Result:
        """Of a run that nothing had to be done in."""
        return cls((), {}, promised(outputs))

    def restoring(self, live: LiveState) -> Result:
        """With what `up` does about objects that are not as they were applied.

        A preview compares the program with the state, which does not know of them.
        """
        touched = {change.urn for change in self.changes}
        wrong = [*live.of("missing"), *live.of("altered")]
        more = [each.as_change() for each in wrong if each.urn not in touched]
        counts = Counter(self.counts) + Counter(change.op for change in more)
        return replace(self, changes=(*self.changes, *more), counts=dict(counts), live=live)

    @property
    def changed(self) -> int:
        """How many resources are touched."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        return ", ".join(f"{number} {op}" for op, number in self.counts.items()) or "no changes"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `up` or `preview` came to."""

    stack: str
    changes: tuple[Mapping[str, object], ...]
    counts: Mapping[str, int]
    outputs: Mapping[str, Any]
    notes: tuple[str, ...]
    """What a reader must know: simulated Pods, findings of the plan."""
    pods: tuple[ComponentPods, ...] = ()
    """Whether the Pods of each component are real, and why; empty on AWS."""

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "stack": self.stack,
            "changes": [dict(each) for each in self.changes],
            "counts": dict(self.counts),
            "outputs": dict(self.outputs),
            "notes": list(self.notes),
            "pods": [asdict(each) for each in self.pods],
        }


def promised(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """All keys of the platform contract in its order, then the others: the state drops nulls."""
    return {**{key: outputs.get(key) for key in CONTRACT}, **outputs}
