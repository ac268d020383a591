"""The managed stores in `up` and `status`: what was changed by hand is named, and put right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_infra import contract
from mlops_infra.cli.open_stack import OpenStack
from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.progress import step

if TYPE_CHECKING:
    from mlops_infra.backup import StoreDrift


def drift(opened: OpenStack) -> StoreDrift:
    """How the stores differ from the plan; where they cannot be opened, a note says why."""
    from mlops_infra.backup import StoreDrift, store_drift

    stores = opened.config.stores
    states = (stores.object.state, stores.sql.state, stores.kv.state)
    if "managed" not in states or _simulated(opened):
        return StoreDrift()
    try:
        return store_drift(opened.stores(), opened.plan)
    except MlopsError as error:
        return StoreDrift(notes=(f"the stores were not compared: {error.what}",))


def put_right(opened: OpenStack) -> tuple[str, ...]:
    """Undo what was changed by hand in the stores; what was found, one line each.

    Raises:
        OperationFailed: a Job of a store does not succeed, or has not put it right.
    """
    from mlops_infra.backup.accounts import make_again
    from mlops_infra.backup.keys import reload_accounts
    from mlops_infra.kube import open_client

    with step(opened.sink, "Comparing accounts and rights in the stores") as work:
        before = drift(opened)
        if not before.found:
            work.end("done", "as declared" if not before.notes else before.notes[0])
            return before.notes
        work.end("done", f"{len(before.found)} changed by hand")
    record = opened.engine.record
    make_again(open_client(record.kubeconfig, record.context), opened.name, opened.sink)
    access = opened.stores()
    if access.kv_service is not None:
        reload_accounts(access)
    if left := drift(opened).found:
        raise OperationFailed(
            f"accounts and rights in the stores are not as declared: {left[0]}",
            hint=f"kubectl -n {contract.STORES_NAMESPACE} get jobs shows what sets them",
        )
    return (*(f"put right: {each}" for each in before.found), *before.notes)


def _simulated(opened: OpenStack) -> bool:
    """Whether the stores are Pods in which nothing runs."""
    from mlops_infra.cluster import EmbeddedCluster

    wanted = opened.config.cluster
    return wanted.embedded and EmbeddedCluster(wanted.name or opened.name).status().simulated
