"""`up` from beginning to end: check, tools, images, cluster, program, outputs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops_infra import contract, places
from mlops_infra.aws import Cloud
from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.engine import (
    aws_approved,
    aws_up,
    environment,
    gathering,
    locks,
    reach,
    tools,
)
from mlops_infra.engine.guard import Guarding, guarded_up
from mlops_infra.engine.prepare import Asked, asked, prepare, reading
from mlops_infra.engine.process import stopped
from mlops_infra.engine.results import Outcome, Result
from mlops_infra.engine.runner import Engine
from mlops_infra.engine.stack_dir import StackDir
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
        return _bring_up(stack, file, sink, guarding, break_lock=break_lock, refresh=refresh)
    except KeyboardInterrupt as error:  # outside of Pulumi: in a build, or while the cluster starts
        raise stopped() from error


def _bring_up(
    stack: str,
    file: Path | None,
    sink: Sink,
    guarding: Guarding,
    *,
    break_lock: bool,
    refresh: bool,
) -> Outcome:
    want = _checked(stack, file, sink)
    room_to_work()
    if want.record.site:
        return aws_up.bring_up(
            want, want.record.site, sink, guarding, break_lock=break_lock, refresh=refresh
        )
    if want.record.cluster:
        want.record.write(StackDir.of(stack))  # from here on `down` has something to take away
    if not break_lock:  # say so now, not after twenty minutes of compiling
        locks.clear(want.record.backend, stack, sink, break_lock=False)
    if not want.record.cluster:
        _reach(want, sink)
    found, node = gathering.gather(want, sink)
    engine = prepare(want, sink, found, node=node)
    result = guarded_up(want, engine, guarding(want, engine, sink), break_lock, refresh)
    return _outcome(want, result)


def preview(
    stack: str, file: Path | None, sink: Sink, guarding: Guarding, *, refresh: bool = True
) -> Outcome:
    """What `bring_up` would change; arguments as there. Starts no cluster.

    Raises:
        InputError: the embedded cluster of a deployed stack does not run.
    """
    want = _checked(stack, file, sink)
    if want.record.site:
        return aws_up.preview(want, want.record.site, sink, guarding, refresh=refresh)
    if want.record.cluster:
        phase = EmbeddedCluster(want.record.cluster).status().phase
        if phase == "absent":
            return _everything(want)
        if phase == "stopped":
            raise InputError(
                f"cluster {want.record.cluster} is stopped: nothing can be compared",
                hint=f"mlops-infra cluster start {want.record.cluster}",
            )
        node: str | None = EmbeddedCluster(want.record.cluster).node_address
    else:
        _reach(want, sink)
        node = None
    found = tools.ready(sink)
    engine = prepare(want, sink, found, node=node)
    result = engine.preview(refresh=refresh)
    return _outcome(want, result, guarding(want, engine, sink).look(result))


def exports(stack: str, file: Path | None, sink: Sink) -> str:
    """Shell lines for plain `pulumi`; see `environment.exports`."""
    want = asked(stack, file)
    found = (
        tools.ready_for_aws(sink, tools.FOR_PLAIN_PULUMI)
        if want.record.site
        else tools.ready(sink, (*tools.NEEDED, *tools.FOR_PLAIN_PULUMI))
    )
    node = None
    if want.record.cluster:
        cluster = EmbeddedCluster(want.record.cluster)
        node = None if cluster.status().phase == "absent" else cluster.node_address
    approved = aws_approved.told(want, Cloud(want.record.site), sink) if want.record.site else {}
    engine = prepare(want, sink, found, node=node, more=approved)
    variables = dict(engine.environment)
    if node:
        variables[contract.NODE_ADDRESS_VARIABLE] = node
    return environment.exports(variables, engine.stack_dir)


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
        want = asked(stack, file)
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


def _reach(want: Asked, sink: Sink) -> None:
    with step(sink, "Reaching the cluster") as work:
        work.end("done", f"Kubernetes {reach.check(want.record)}")


def _outcome(want: Asked, result: Result, losses: Sequence[str] = ()) -> Outcome:
    notes = list(losses)
    if want.record.cluster:
        notes += EmbeddedCluster(want.record.cluster).status().notes
    notes += [f"{each.path}: {each.message}" for each in want.plan.findings]
    notes += result.live.lines()
    changes = tuple(change.as_dict() for change in result.changes)
    return Outcome(want.stack, changes, result.counts, result.outputs, tuple(notes))


def _everything(want: Asked) -> Outcome:
    changes: list[Mapping[str, object]] = [
        {"op": "create", "kind": "Component", "name": each.name, "keys": []}
        for each in want.plan.components
    ]
    note = (
        f"cluster {want.record.cluster} does not exist yet: `up` creates it with everything in it"
    )
    counts = {"create components": len(changes)}
    return Outcome(want.stack, tuple(changes), counts, {}, (note,))
