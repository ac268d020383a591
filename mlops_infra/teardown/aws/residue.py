"""Removes what services leave behind on their own, when the user gave all data up."""

from __future__ import annotations

from mlops_infra.aws import Cloud
from mlops_infra.progress import Sink, step
from mlops_infra.teardown.aws import sweep
from mlops_infra.teardown.aws.scope import Scope


def remove_logs(cloud: Cloud, scope: Scope, sink: Sink) -> None:
    """Delete the log groups that services made for the stack's things."""
    with step(sink, "Removing logs", unit="log groups") as work:
        for group in list(sweep.log_groups(cloud, scope)):
            work.note(group)
            cloud.find("logs", "delete_log_group", logGroupName=group)
            work.advance()
        work.end("done" if work.done else "unchanged", f"{work.done} removed")


def remove_snapshots(cloud: Cloud, scope: Scope, sink: Sink) -> None:
    """Delete the snapshots that the stack's databases and caches ended with."""
    with step(sink, "Removing snapshots", unit="snapshots") as work:
        for name in list(sweep.database_snapshots(cloud, scope)):
            work.note(name)
            cloud.find("rds", "delete_db_snapshot", DBSnapshotIdentifier=name)
            work.advance()
        for name in list(sweep.cache_snapshots(cloud, scope)):
            work.note(name)
            cloud.find("elasticache", "delete_snapshot", SnapshotName=name)
            work.advance()
        work.end("done" if work.done else "unchanged", f"{work.done} removed")
