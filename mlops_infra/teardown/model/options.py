"""What the user wants of a teardown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DownOptions:
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
    remove_blockers: bool = False
    """What holds deletions up (finalizers, webhooks and API services that nobody answers for) is
    taken out of the way, for the stack's own namespaces and objects."""
