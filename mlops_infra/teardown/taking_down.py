"""`down`: drain, destroy in order, look for leftovers, then the embedded cluster and the files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from mlops_infra import engine as engines
from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.engine import Engine, locks, mending
from mlops_infra.engine.record import StackRecord
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, step
from mlops_infra.teardown import aws_stack, custom, leftovers, machine, volumes, workloads
from mlops_infra.teardown.cluster_access import ClusterAccess
from mlops_infra.teardown.state import Deployed
from mlops_infra.teardown.wishes import TearDown, Wishes

SETTLED = 30.0
"""Seconds without any change after which what is still there is left over."""
_PERIOD = 1.0


def take_down(stack: str, file: Path | None, sink: Sink, wishes: Wishes) -> TearDown:
    """Take the platform of `stack` away; works from the state alone.

    Raises:
        InputError: protected things would go, and `purge` was not asked for.
        StackLocked: another run holds the stack.
        OperationFailed: the cluster does not answer, or an object does not go.
    """
    done = TearDown(stack)
    engine = engines.from_state(stack, file, sink)
    if engine is None:
        with step(sink, f"Stack {stack}") as work:
            work.end("unchanged", "it does not exist")
        return done
    record = engine.record
    locks.clear(record.backend, stack, sink, break_lock=wishes.break_lock)
    mending.mend(record.backend, stack, sink)
    exists = engine.exists()
    deployed = Deployed.of(engine.exported()) if exists else Deployed(())
    if record.site is not None:
        aws_stack.take_down(engine, deployed, wishes, done, sink)
        return _ended(engine, done, exists=exists)
    _refuse_protected(deployed, wishes, stack)
    _refuse_locked_secrets(engine, deployed, wishes)
    if _whole_cluster_goes(record, wishes):
        done.removed = _count(deployed)
    elif wishes.forget_unreachable:
        done.kept.append("unknown: the unreachable cluster was not examined")
    else:
        _take_apart(engine, deployed, wishes, sink, done)
    _end_cluster(record, wishes, sink, done)
    return _ended(engine, done, exists=exists)


def _ended(engine: Engine, done: TearDown, *, exists: bool) -> TearDown:
    """Forget the state and the files, unless something stays that they are needed to find."""
    if exists and not done.kept and not done.leftovers:
        engine.forget(force=True)
    if not done.kept and not done.leftovers:
        machine.forget_files(engine.stack, engine.record.backend)
    done.leftovers += _on_machine(engine, done)
    return done


def _refuse_protected(deployed: Deployed, wishes: Wishes, stack: str) -> None:
    protected = deployed.protected()
    if protected and not wishes.purge:
        raise InputError(
            f"protected, so nothing was removed: {', '.join(protected)}",
            where=f"stack {stack}",
            hint=f"set mlops-infra:protect: false and run up, or with all data: "
            f"mlops-infra down -s {stack} --purge",
        )


def _refuse_locked_secrets(engine: Engine, deployed: Deployed, wishes: Wishes) -> None:
    if deployed.empty or wishes.purge or engine.room.opens(engine.record.secrets_provider):
        return
    raise InputError(
        "the passphrase is missing, so Pulumi cannot read the state",
        where=str(engine.room.passphrase),
        hint="restore it, or delete everything with the stack's label: "
        f"mlops-infra down -s {engine.stack} --purge",
    )


def _whole_cluster_goes(record: StackRecord, wishes: Wishes) -> bool:
    """Whether taking the platform apart first would serve nothing: its stopped cluster goes too."""
    if record.cluster is None or wishes.keep_data or wishes.keep_cluster:
        return False
    return EmbeddedCluster(record.cluster).status().phase in {"absent", "stopped"}


def _take_apart(
    engine: Engine, deployed: Deployed, wishes: Wishes, sink: Sink, done: TearDown
) -> None:
    record, stack = engine.record, engine.stack
    if record.cluster is not None:
        phase = EmbeddedCluster(record.cluster).status().phase
        if phase == "absent":
            return
        if phase == "stopped":
            EmbeddedCluster(record.cluster).start(sink)
    if deployed.empty and record.cluster is None and not wishes.purge:
        return  # nothing was ever made: a cluster out of reach is no reason to fail
    access = ClusterAccess(record.kubeconfig, record.context)
    keep = () if wishes.purge else tuple(
        volumes.to_keep(access, deployed.namespaces, everything=wishes.keep_data)
    )  # fmt: skip
    volumes.let_go(access, deployed.namespaces, keep)
    volumes.keep(access, keep, stack)
    custom.remove(
        access, stack, deployed.namespaces, sink, remove_finalizers=wishes.remove_finalizers
    )
    workloads.drain(access, stack, deployed.waves(), sink)
    if not engine.room.opens(record.secrets_provider):
        done.removed = _count(deployed)  # by its label, below: nothing can open the state
    elif not deployed.empty:
        done.removed = engine.destroy(ignore_protect=wishes.purge).changed
    already = None if wishes.purge else tuple(v.metadata.name for v in volumes.kept(access, stack))
    leftovers.sweep(access, stack, already, sink)
    _settle_volumes(access, stack, wishes, sink, done)
    _report(access, stack, deployed.namespaces, already, sink, done)


def _settle_volumes(
    access: ClusterAccess, stack: str, wishes: Wishes, sink: Sink, done: TearDown
) -> None:
    if wishes.purge:
        volumes.purge(access, stack)
        return
    offered = volumes.offer_again(access, stack)
    if offered:
        with step(sink, "Keeping volumes") as work:
            work.end("done", "; ".join(str(each) for each in offered))
    done.kept += [str(each) for each in offered]


def _report(
    access: ClusterAccess,
    stack: str,
    namespaces: Sequence[str],
    kept: Sequence[str] | None,
    sink: Sink,
    done: TearDown,
) -> None:
    with step(sink, "Looking for leftovers in the cluster") as work:
        found = leftovers.in_cluster(access, stack, namespaces, kept)
        ends = time.monotonic() + SETTLED
        # volumes go after their claims, one by one, when their provisioner has seen it: on a busy
        # machine that takes as long as it takes, and what hangs does not change
        while found and time.monotonic() < ends:
            time.sleep(_PERIOD)
            earlier, found = found, leftovers.in_cluster(access, stack, namespaces, kept)
            if len(found) < len(earlier):
                ends = time.monotonic() + SETTLED
        work.end("done", f"{len(found)} found" if found else "none")
    done.leftovers += found
    done.staying += [] if kept is None else leftovers.staying(access, stack)


def _end_cluster(record: StackRecord, wishes: Wishes, sink: Sink, done: TearDown) -> None:
    if record.cluster is None:
        return
    cluster = EmbeddedCluster(record.cluster)
    if wishes.keep_cluster:
        done.kept.append(f"cluster {record.cluster}: {cluster.kubeconfig.parent}")
    elif done.kept:
        cluster.stop(sink)
        done.kept.append(
            f"the stopped cluster {record.cluster} with these volumes: {cluster.kubeconfig.parent}"
        )
    else:
        try:
            cluster.delete(sink)
        except OperationFailed as error:
            done.leftovers.append(error.what)
        else:
            # with the cluster, everything in it went
            done.leftovers.clear()
            done.staying.clear()


def _count(deployed: Deployed) -> int:
    return sum(1 for each in deployed.resources if each["type"].startswith("kubernetes:"))


def _on_machine(engine: Engine, done: TearDown) -> list[str]:
    if done.kept or done.leftovers:
        return []  # they are what finds the rest again
    paths = [engine.room.folder]
    if engine.record.cluster is not None:
        paths.append(EmbeddedCluster(engine.record.cluster).kubeconfig.parent)
    return leftovers.on_machine(paths)
