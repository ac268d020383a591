"""`up`, `preview` and `env` of any stack: check, then what its profile does."""

from __future__ import annotations

import shutil
from pathlib import Path

from mlops_infra import contract, places
from mlops_infra.engine import environment
from mlops_infra.engine.guard import Guarding
from mlops_infra.engine.prepare import Asked, asked, reading
from mlops_infra.engine.process import stopped
from mlops_infra.engine.profile import profile_of
from mlops_infra.engine.results import Outcome
from mlops_infra.engine.runner import Engine
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, step

FREE = 32 * 1024 * 1024
"""Bytes. The state of a large platform is 1 MB; it is there three times, beside its history."""


def bring_up(
    stack: str,
    file: Path | None,
    sink: Sink,
    guarding: Guarding,
    *,
    break_lock: bool = False,
    refresh: bool = True,
) -> Outcome:
    """Bring the platform of `stack` up, or up to date, and return what it offers.

    Args:
        stack: its name.
        file: its file; None: the default one.
        sink: takes the progress.
        guarding: makes the judge of what the run would take from people.
        break_lock: take the stack from whoever holds it.
        refresh: look for what was deleted or changed by hand, and put it right.

    Raises:
        MlopsError: each step with its own; whatever was done stays and a second call goes on.
    """
    try:
        want = _checked(stack, file, sink)
        room_to_work()
        return profile_of(want, sink).bring_up(guarding, break_lock=break_lock, refresh=refresh)
    except KeyboardInterrupt as error:  # outside of Pulumi: in a build, or while the cluster starts
        raise stopped() from error


def preview(
    stack: str, file: Path | None, sink: Sink, guarding: Guarding, *, refresh: bool = True
) -> Outcome:
    """What `bring_up` would change; arguments as there. Starts no cluster.

    Raises:
        InputError: the embedded cluster of a deployed stack does not run.
    """
    return profile_of(_checked(stack, file, sink), sink).preview(guarding, refresh=refresh)


def exports(stack: str, file: Path | None, sink: Sink) -> str:
    """Shell lines for plain `pulumi`; see `environment.exports`."""
    engine = profile_of(asked(stack, file), sink).engine_for_pulumi()
    return environment.exports(engine.environment, engine.stack_dir)


def open_engine(stack: str, file: Path | None, sink: Sink) -> Engine:
    """An engine for reading the state of a stack that was brought up.

    Raises:
        InputError: it was not.
    """
    engine = reading(stack, file, sink)
    if engine is None:
        raise InputError(f"stack {stack} is not deployed", hint=f"mlops-infra up -s {stack}")
    return engine


def _checked(stack: str, file: Path | None, sink: Sink) -> Asked:
    with step(sink, "Checking configuration and plan") as work:
        want = asked(stack, file, ask=True)
        names = ", ".join(each.name for each in want.plan.components)
        work.end("done", f"{want.config.profile}: {names}")
    return want


def room_to_work() -> None:
    """Refuse to begin on a disk that Pulumi could not write its state to: it would cut it short.

    Raises:
        OperationFailed: less than `FREE` bytes are left.
    """
    folder = places.private(places.data())
    free = shutil.disk_usage(folder).free
    if free < FREE:
        raise OperationFailed(
            f"the disk is full: {free // 1024} KiB free, a run needs {FREE // 1024}",
            where=str(folder),
            hint=f"free some space there, or choose another folder with {contract.DATA_VARIABLE}",
        )
