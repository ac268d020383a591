"""What running a stack means on each profile: one interface, two makers."""

from __future__ import annotations

from typing import Protocol

from mlops_infra.engine.aws_up import AwsProfile
from mlops_infra.engine.guard import Guarding
from mlops_infra.engine.onprem_up import OnPremProfile
from mlops_infra.engine.prepare import Asked
from mlops_infra.engine.results import Outcome
from mlops_infra.engine.runner import Engine
from mlops_infra.progress import Sink


class Profile(Protocol):
    """A checked stack on its profile; nothing has been touched yet."""

    def bring_up(self, guarding: Guarding, *, break_lock: bool, refresh: bool) -> Outcome:
        """Bring the platform up, or up to date; see `engine.bring_up`."""

    def preview(self, guarding: Guarding, *, refresh: bool) -> Outcome:
        """What `bring_up` would change."""

    def engine_for_pulumi(self) -> Engine:
        """An engine whose environment serves plain `pulumi`."""


def profile_of(want: Asked, sink: Sink) -> Profile:
    """The profile that the stack's file names."""
    if want.record.site is not None:
        return AwsProfile(want, want.record.site, sink)
    return OnPremProfile(want, sink)
