"""The guard of `up` and `preview`: teardown judges, and the stores are counted for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_infra.errors import MlopsError

if TYPE_CHECKING:
    from mlops_infra.engine import Engine
    from mlops_infra.engine.prepare import Asked
    from mlops_infra.progress import Sink
    from mlops_infra.teardown import RemovalGuard


def guarding(want: Asked, engine: Engine, sink: Sink) -> RemovalGuard:
    """The guard of one run."""
    from mlops_infra.backup import holdings, open_stores
    from mlops_infra.teardown import RemovalGuard

    def of_tenant(name: str) -> Sequence[str]:
        try:
            return list(holdings(open_stores(want.stack, want.config, engine, sink), name))
        except MlopsError as error:
            return [f"bucket and database rows: not counted, {error.what}"]

    return RemovalGuard(want, engine, sink, of_tenant)
