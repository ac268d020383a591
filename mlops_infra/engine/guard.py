"""The last word before a run changes anything: what it would take from people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from mlops_infra.engine.last_run import Given, LastRun, inputs_digest
from mlops_infra.engine.prepare import Asked
from mlops_infra.engine.results import Result
from mlops_infra.engine.runner import Engine
from mlops_infra.progress import Sink


class Guard(Protocol):
    """Judges one run after its preview."""

    @property
    def allowed(self) -> Sequence[str]:
        """What `allow` has let go, in words and numbers."""

    def look(self, planned: Result) -> Sequence[str]:
        """What people would lose, in words and numbers; empty where nothing."""

    def allow(self, planned: Result) -> None:
        """Refuse what the stack's file does not name.

        Raises:
            InputError: with all of it.
        """

    def make_way(self) -> None:
        """End what would block the removal, before it."""


Guarding = Callable[[Asked, Engine, Sink], Guard]
"""Makes the guard of a run."""


def guarded_up(
    want: Asked, engine: Engine, guard: Guard, break_lock: bool, refresh: bool
) -> Result:
    """`Engine.up` with what the stack's file allows.

    What was edited while it ran equals nothing: nobody knows which of both the program has read.
    """
    given = _given(want, engine)
    result = engine.up(
        want.config.allow_replace,
        break_lock=break_lock,
        given=given,
        refresh=refresh,
        allow=guard.allow,
        make_way=guard.make_way,
    )
    if _given(want, engine) != given:
        LastRun().keep(engine.stack_dir)
    return result


def _given(want: Asked, engine: Engine) -> Given:
    if want.record.site is not None:
        return Given(want.digest)  # only AWS knows what is there, and it is asked through Pulumi
    inputs = inputs_digest(
        want.config, engine.stack_dir, want.file.parent, engine.environment, engine.tools
    )
    return Given(want.digest, inputs)
