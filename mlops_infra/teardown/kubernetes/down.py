"""`down` on a cluster: look for what holds, drain, ordered destroy, then look for what is left.

Each part asks the cluster what is there before it does anything, so a run that was killed anywhere
is simply run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mlops_infra.errors import OperationFailed
from mlops_infra.kube import Cluster
from mlops_infra.kube.objects import name_of
from mlops_infra.progress import Sink, step
from mlops_infra.teardown.kubernetes import (
    blockers,
    custom_resources,
    leftovers,
    set_aside,
    volumes,
)
from mlops_infra.teardown.kubernetes.blockers import Blockers
from mlops_infra.teardown.kubernetes.drain import drain
from mlops_infra.teardown.model.options import DownOptions
from mlops_infra.teardown.model.result import DownResult
from mlops_infra.teardown.model.state import Deployed

SETTLED = 30.0
"""Seconds without any change after which what is still there is left over."""
_PERIOD = 1.0

Destroy = Callable[[], int]
"""Takes away all of the state, in order; returns how many resources went."""


def take_apart(
    cluster: Cluster,
    deployed: Deployed,
    destroy: Destroy,
    options: DownOptions,
    done: DownResult,
    sink: Sink,
    *,
    patience: float = blockers.PATIENCE,
) -> None:
    """Take the stack away.

    Args:
        cluster: where it is.
        deployed: what the state records.
        destroy: the ordered destroy: Pulumi's.
        options: what the user wants.
        done: filled with what came of it.
        sink: progress.
        patience: seconds without a change after which nobody is taken to be cleaning up.

    Raises:
        FoundError: something holds the deletion; all that does is among the findings.
        ApiError: the cluster refuses.
    """
    stack = done.stack
    held = Blockers(
        cluster, stack, deployed.namespaces, sink, options.remove_blockers, patience=patience
    )
    try:
        _take_apart(cluster, deployed, destroy, options, done, held, sink)
    finally:
        done.cleared += held.removed
        if held.removed:
            done.cleared += [f"put back {each}" for each in set_aside.restore(cluster)]


def _take_apart(
    cluster: Cluster,
    deployed: Deployed,
    destroy: Destroy,
    options: DownOptions,
    done: DownResult,
    held: Blockers,
    sink: Sink,
) -> None:
    stack, namespaces = done.stack, deployed.namespaces
    must_clear = held.check()
    keep: Sequence[str] = ()
    if not options.purge:
        keep = volumes.to_keep(cluster, namespaces, everything=options.keep_data)
    volumes.let_go(cluster, namespaces, keep)
    volumes.keep(cluster, keep, stack)
    custom_resources.remove(held)
    drain(cluster, stack, deployed.waves(), sink)
    blockers.remove_held(held)
    if must_clear:
        blockers.clear_namespaces(held)
    done.removed = _destroyed(destroy, held)
    already = None if options.purge else [name_of(each) for each in volumes.kept(cluster, stack)]
    leftovers.sweep(cluster, stack, already, sink)
    _settle_volumes(cluster, options, done, sink)
    _report(cluster, namespaces, already, done, sink)


def _destroyed(destroy: Destroy, held: Blockers) -> int:
    """Destroy by the state; where that fails, say what holds things rather than what timed out."""
    try:
        return destroy()
    except OperationFailed as error:
        found = held.look()
        if any(each.certain for each in found):
            raise held.error(found) from error
        raise


def _settle_volumes(cluster: Cluster, options: DownOptions, done: DownResult, sink: Sink) -> None:
    if options.purge:
        volumes.purge(cluster, done.stack)
        return
    offered = volumes.offer_again(cluster, done.stack)
    if offered:
        with step(sink, "Keeping volumes") as work:
            work.end("done", "; ".join(str(each) for each in offered))
    done.kept += [str(each) for each in offered]


def _report(
    cluster: Cluster,
    namespaces: Sequence[str],
    kept: Sequence[str] | None,
    done: DownResult,
    sink: Sink,
) -> None:
    with step(sink, "Looking for leftovers in the cluster") as work:
        found = leftovers.in_cluster(cluster, done.stack, namespaces, kept)
        ends = time.monotonic() + SETTLED
        # volumes go after their claims, one by one, when their provisioner has seen it: on a busy
        # machine that takes as long as it takes, and what hangs does not change
        while found and time.monotonic() < ends:
            time.sleep(_PERIOD)
            earlier, found = found, leftovers.in_cluster(cluster, done.stack, namespaces, kept)
            if len(found) < len(earlier):
                ends = time.monotonic() + SETTLED
        work.end("done", f"{len(found)} found" if found else "none")
    done.leftovers += found
    done.staying += [] if kept is None else leftovers.staying(cluster, done.stack)
