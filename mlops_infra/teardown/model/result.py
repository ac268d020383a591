"""What a teardown came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class DownResult:
    """What a teardown did."""

    stack: str
    removed: int = 0
    """Resources of the state."""
    kept: list[str] = field(default_factory=list)
    """What stays because it was asked for, and where it lies."""
    staying: list[str] = field(default_factory=list)
    """Definitions of custom resources that others may use: `cluster.crds: keep`."""
    cleared: list[str] = field(default_factory=list)
    """What was taken out of the way of deletions."""
    leftovers: list[str] = field(default_factory=list)
    """What is still there and should not be."""

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "stack": self.stack,
            "removed": self.removed,
            "kept": self.kept,
            "staying": self.staying,
            "cleared": self.cleared,
            "leftovers": self.leftovers,
        }
