"""What the user wants of a teardown, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says about data and dangers; each is spelled out on the command line."""

    keep_data: bool = False
    """Volumes stay, and with an embedded cluster the stopped cluster that holds them."""
    purge: bool = False
    """Protected things and volumes that were kept go too."""
    keep_cluster: bool = False
    """The embedded cluster goes on running, empty."""
    break_lock: bool = False
    """Take the stack even if another run may hold it."""
    forget_unreachable: bool = False
    """The cluster no longer exists: remove its objects from the state."""
    remove_finalizers: bool = False
    """Custom resources whose operator is gone lose their finalizers."""


@dataclass(slots=True)
class TearDown:
    """What a teardown did."""

    stack: str
    removed: int = 0
    """Resources of the state."""
    kept: list[str] = field(default_factory=list)
    """What stays because it was asked for, and where it lies."""
    staying: list[str] = field(default_factory=list)
    """Definitions of custom resources that others may use: `cluster.crds: keep`."""
    leftovers: list[str] = field(default_factory=list)
    """What is still there and should not be."""

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "stack": self.stack,
            "removed": self.removed,
            "kept": self.kept,
            "staying": self.staying,
            "leftovers": self.leftovers,
        }
