"""How to reach the cluster of a stack: which kubeconfig, which context."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra.errors import OperationFailed

if TYPE_CHECKING:
    from mlops_infra.config import StackConfig


def kubeconfig_of(stack: str, config: StackConfig) -> tuple[Path | None, str | None]:
    """Kubeconfig and context; None for what Kubernetes clients find by themselves.

    Raises:
        OperationFailed: the stack's own cluster does not run.
    """
    if config.cluster.embedded:
        from mlops_infra.cluster import EmbeddedCluster

        cluster = EmbeddedCluster(config.cluster.name or stack)
        phase = cluster.status().phase
        if phase in ("absent", "stopped"):
            raise OperationFailed(
                f"cluster {cluster.name} is {phase}", hint=f"mlops-infra up -s {stack}"
            )
        return cluster.kubeconfig, None
    named = config.cluster.kubeconfig
    return (Path(named).expanduser() if named else None), config.cluster.context
