"""`down` on AWS: drain, empty what may go, ordered destroy, then look for what is left.

Each part asks AWS what is there before it does anything, so a run that was killed anywhere is
simply run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlops_infra.aws import Cloud
from mlops_infra.aws.waiting import PATIENCE
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step
from mlops_infra.teardown.aws import buckets, residue, running, starters, strays, sweep
from mlops_infra.teardown.aws.scope import BUCKETS, Made, Scope
from mlops_infra.teardown.model.result import DownResult

Destroy = Callable[[Sequence[Made]], int]
"""Takes away all of the state but what is handed in; returns how many resources went."""


def take_apart(
    cloud: Cloud,
    scope: Scope,
    destroy: Destroy,
    sink: Sink,
    *,
    purge: bool = False,
    patience: float = PATIENCE,
) -> DownResult:
    """Take the stack away.

    Args:
        cloud: its account and region.
        scope: what belongs to it, read before anything is touched.
        destroy: the ordered destroy: Pulumi's.
        sink: progress.
        purge: data goes too: kept things, contents of buckets, registered packages, logs.
        patience: seconds for each kind of thing to stop.

    Raises:
        InputError: the credentials belong to another account.
        OperationFailed: something that runs does not stop; nothing was destroyed.
        PermissionMissing: with the statement; what was done stays done, and a second run goes on.
    """
    cloud.identity()
    done = DownResult(scope.stack)
    drain(cloud, scope, sink, purge=purge, patience=patience)
    held = buckets.empty(cloud, buckets.to_empty(scope, purge=purge), sink)
    keep = () if purge else _to_keep(cloud, scope)
    with_needs = scope.with_needs(keep)
    done.removed = destroy(with_needs)
    if purge or not keep:  # what outlives nothing keeps no logs about it
        residue.remove_logs(cloud, scope, sink)
    if purge:
        residue.remove_snapshots(cloud, scope, sink)
    # without purge a database ends with a snapshot, and the logs stay beside the data
    stay = [] if purge else [*sweep.snapshots(cloud, scope), *sweep.logs(cloud, scope)]
    done.kept = [*(str(each) for each in keep), *stay]
    spared = _spared(with_needs, stay)
    done.leftovers = [*held, *sweep.leftovers(cloud, scope, spared, sink)]
    return done


def drain(
    cloud: Cloud, scope: Scope, sink: Sink, *, purge: bool, patience: float = PATIENCE
) -> None:
    """Stop everything of the stack that runs or holds something else.

    Raises:
        OperationFailed: something does not stop.
    """
    with step(sink, "Draining", unit="things") as work:
        starters.rules(cloud, scope, work)
        starters.schedules(cloud, scope, work)
        starters.glue_triggers(cloud, scope, work)
        starters.scaling(cloud, scope, work)
        starters.monitors(cloud, scope, work)
        stuck = [
            *running.executions(cloud, scope, work, patience=patience),
            *running.jobs(cloud, scope, work, patience=patience),
            *running.crawlers(cloud, scope, work, patience=patience),
            *running.glue_runs(cloud, scope, work, patience=patience),
            *strays.endpoints(cloud, scope, work, patience=patience),
            *strays.domains(cloud, scope, work, patience=patience),
        ]
        if stuck:
            raise OperationFailed(
                f"{len(stuck)} resources do not stop: {'; '.join(stuck)}",
                where=f"{cloud.site}; nothing was destroyed",
                hint=f"wait for them, then run again: mlops-infra down -s {scope.stack}",
            )
        strays.packages(cloud, strays.groups_to_empty(scope, purge=purge), work)
        strays.images(cloud, scope, work, purge=purge)
        strays.interfaces(cloud, scope, work)
        work.end("done" if work.done else "unchanged", f"{work.done} stopped or removed")


def _to_keep(cloud: Cloud, scope: Scope) -> tuple[Made, ...]:
    """What stays: what the configuration keeps, and buckets with contents nobody gave up."""
    full = (
        each
        for each in scope.of_type(*BUCKETS)
        if not each.force and not each.kept and buckets.contents(cloud, each.id)
    )
    return (*scope.kept(), *full)


def _spared(keep: Sequence[Made], lines: Sequence[str]) -> Callable[[str], bool]:
    """Whether something the sweep finds stays on purpose.

    A thing's own parts (the packages of a kept group) stay with it.
    """
    arns = tuple(each.arn for each in keep if each.arn)
    ids = {each.id for each in keep}
    groups = tuple(a.replace(":model-package-group/", ":model-package/") + "/" for a in arns)

    def spared(found: str) -> bool:
        last = found.rpartition("/")[2] if ":s3:::" not in found else found.rpartition(":")[2]
        return found in (*arns, *lines) or last in ids or found.startswith(groups)

    return spared
