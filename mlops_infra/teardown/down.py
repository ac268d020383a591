"""`down`: drain, destroy in order, look for leftovers, then the embedded cluster and the files."""

from __future__ import annotations

from pathlib import Path

from mlops_infra import engine as engines
from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.engine import Engine, locks, mending
from mlops_infra.engine.stack_record import StackRecord
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, step
from mlops_infra.teardown import local_files
from mlops_infra.teardown.aws import stack as aws_stack
from mlops_infra.teardown.kubernetes.access import open_cluster
from mlops_infra.teardown.kubernetes.down import take_apart
from mlops_infra.teardown.model.options import DownOptions
from mlops_infra.teardown.model.result import DownResult
from mlops_infra.teardown.model.state import Deployed


def take_down(stack: str, file: Path | None, sink: Sink, options: DownOptions) -> DownResult:
    """Take the platform of `stack` away; works from the state alone.

    Raises:
        InputError: protected things would go, and `purge` was not asked for.
        StackLocked: another run holds the stack.
        FoundError: something holds the deletion; all that does is among the findings.
        OperationFailed: the cluster does not answer, or an object does not go.
    """
    done = DownResult(stack)
    engine = engines.from_state(stack, file, sink)
    if engine is None:
        with step(sink, f"Stack {stack}") as work:
            work.end("unchanged", "it does not exist")
        return done
    record = engine.record
    locks.clear(record.backend, stack, sink, break_lock=options.break_lock)
    mending.mend(record.backend, stack, sink)
    exists = engine.exists()
    deployed = Deployed.of(engine.exported()) if exists else Deployed(())
    if record.site is not None:
        aws_stack.take_down(engine, deployed, options, done, sink)
        return _ended(engine, done, exists=exists)
    _refuse_protected(deployed, options, stack)
    _refuse_locked_secrets(engine, deployed, options)
    if _whole_cluster_goes(record, options):
        done.removed = _count(deployed)
    elif options.forget_unreachable:
        done.kept.append("unknown: the unreachable cluster was not examined")
    else:
        _take_apart(engine, deployed, options, sink, done)
    _end_cluster(record, options, sink, done)
    return _ended(engine, done, exists=exists)


def _ended(engine: Engine, done: DownResult, *, exists: bool) -> DownResult:
    """Forget the state and the files, unless something stays that they are needed to find."""
    if exists and not done.kept and not done.leftovers:
        engine.forget(force=True)
    if not done.kept and not done.leftovers:
        local_files.forget_files(engine.stack, engine.record.backend)
    done.leftovers += _on_machine(engine, done)
    return done


def _refuse_protected(deployed: Deployed, options: DownOptions, stack: str) -> None:
    protected = deployed.protected()
    if protected and not options.purge:
        raise InputError(
            f"protected, so nothing was removed: {', '.join(protected)}",
            where=f"stack {stack}",
            hint=f"set mlops-infra:protect: false and run up, or with all data: "
            f"mlops-infra down -s {stack} --purge",
        )


def _refuse_locked_secrets(engine: Engine, deployed: Deployed, options: DownOptions) -> None:
    if deployed.empty or options.purge or engine.stack_dir.opens(engine.record.secrets_provider):
        return
    raise InputError(
        "the passphrase is missing, so Pulumi cannot read the state",
        where=str(engine.stack_dir.passphrase),
        hint="restore it, or delete everything with the stack's label: "
        f"mlops-infra down -s {engine.stack} --purge",
    )


def _whole_cluster_goes(record: StackRecord, options: DownOptions) -> bool:
    """Whether taking the platform apart first would serve nothing: its stopped cluster goes too."""
    if record.cluster is None or options.keep_data or options.keep_cluster:
        return False
    return EmbeddedCluster(record.cluster).status().phase in {"absent", "stopped"}


def _take_apart(
    engine: Engine, deployed: Deployed, options: DownOptions, sink: Sink, done: DownResult
) -> None:
    record = engine.record
    if record.cluster is not None:
        phase = EmbeddedCluster(record.cluster).status().phase
        if phase == "absent":
            return
        if phase == "stopped":
            EmbeddedCluster(record.cluster).start(sink)
    if deployed.empty and record.cluster is None and not options.purge:
        return  # nothing was ever made: a cluster out of reach is no reason to fail
    cluster = open_cluster(record.kubeconfig, record.context)
    take_apart(cluster, deployed, lambda: _destroy(engine, deployed, options), options, done, sink)


def _destroy(engine: Engine, deployed: Deployed, options: DownOptions) -> int:
    if not engine.stack_dir.opens(engine.record.secrets_provider):
        return _count(deployed)  # by its label, afterwards: nothing can open the state
    if deployed.empty:
        return 0
    return engine.destroy(ignore_protect=options.purge).changed


def _end_cluster(record: StackRecord, options: DownOptions, sink: Sink, done: DownResult) -> None:
    if record.cluster is None:
        return
    cluster = EmbeddedCluster(record.cluster)
    if options.keep_cluster:
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


def _on_machine(engine: Engine, done: DownResult) -> list[str]:
    if done.kept or done.leftovers:
        return []  # they are what finds the rest again
    paths = [engine.stack_dir.folder]
    if engine.record.cluster is not None:
        paths.append(EmbeddedCluster(engine.record.cluster).kubeconfig.parent)
    return local_files.still_there(paths)
