"""The managed stores in `up` and `status`: what was changed by hand is named, and put right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_infra.errors import MlopsError
from mlops_infra.progress import Sink, step

if TYPE_CHECKING:
    from mlops_infra.backup import StoreDrift
    from mlops_infra.config import StackConfig
    from mlops_infra.engine import Engine
    from mlops_infra.plan import Plan


def drift(
    stack: str,
    config: StackConfig,
    plan: Plan,
    engine: Engine,
    sink: Sink,
    *,
    reached: bool = True,
) -> StoreDrift:
    """How the stores differ from the plan; where they cannot be opened, a note says why.

    Nothing is compared where the cluster is not `reached`.
    """
    from mlops_infra.backup import StoreDrift, open_stores, store_drift

    stores = config.stores
    if not reached or "managed" not in (stores.object.state, stores.sql.state):
        return StoreDrift()
    try:
        return store_drift(open_stores(stack, config, engine, sink), plan)
    except MlopsError as error:
        return StoreDrift(notes=(f"the stores were not compared: {error.what}",))


def put_right(
    stack: str, config: StackConfig, plan: Plan, engine: Engine, sink: Sink
) -> tuple[str, ...]:
    """Undo what was changed by hand in the stores; what was found, one line each.

    Raises:
        OperationFailed: it is there again, or a Job of a store does not succeed.
    """
    from mlops_infra.backup.accounts import make_again
    from mlops_infra.errors import OperationFailed
    from mlops_infra.kube import open_client

    with step(sink, "Comparing accounts and rights in the stores") as work:
        before = drift(stack, config, plan, engine, sink)
        if not before.found:
            work.end("done", "as declared")
            return before.notes
        work.end("done", f"{len(before.found)} changed by hand")
    make_again(open_client(engine.record.kubeconfig, engine.record.context), stack, sink)
    if left := drift(stack, config, plan, engine, sink).found:
        raise OperationFailed(
            f"accounts and rights in the stores are not as declared: {left[0]}",
            hint="kubectl -n mlops-stores get jobs shows what set them",
        )
    return (*(f"put right: {each}" for each in before.found), *before.notes)
