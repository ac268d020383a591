"""Whether a running cluster was started by an older program that knew fewer of its processes."""

from __future__ import annotations

from mlops_infra.cluster import daemon, policy_engine, state
from mlops_infra.cluster.layout import Layout
from mlops_infra.progress import Sink, step

PATIENCE = 45.0
"""Seconds for Pods, control plane and database to end by themselves before they are killed."""

_SINCE = frozenset({policy_engine.NAME})
"""Processes of a real node that the first release did not have. Its supervisor cannot take up new
ones either: it does not know the signal and would die of it."""


def renew(layout: Layout, sink: Sink) -> bool:
    """Stop the cluster where its supervisor is too old, to be started again; its data stays.

    Returns:
        Whether it was stopped.
    """
    plan = state.read(layout.plan)
    if plan is None or "node" not in plan:
        return False
    if {child["name"] for child in plan["children"]} >= _SINCE:
        return False
    with step(sink, f"Stopping cluster {layout.name}") as work:
        work.note("it was started by an older release and is restarted")
        ended = daemon.stop(layout, patience=PATIENCE)
        work.end("done", "its data stays" if ended else "it did not stop and was killed")
    return True
