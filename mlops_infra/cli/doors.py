"""Opens a running platform for commands that work through its endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra.cli.access import kubeconfig_of

if TYPE_CHECKING:
    from mlops_infra.lifecycle.promotion.access import Access
    from mlops_infra.lifecycle.services.credentials import Credentials, Secrets
    from mlops_infra.lifecycle.services.endpoints import Platform
    from mlops_infra.progress import Sink


def platform_of(stack: str, file: Path | None, sink: Sink) -> tuple[Platform, Credentials, Secrets]:
    """Endpoints, passwords, and where further Secrets are read.

    Raises:
        OperationFailed: the stack's cluster does not run, or the stack is not up.
    """
    from mlops_infra.config import load, stack_file
    from mlops_infra.engine import open_engine
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets, credentials
    from mlops_infra.lifecycle.services.endpoints import from_outputs

    config = load(file or stack_file(stack))
    secrets = ClusterSecrets(*kubeconfig_of(stack, config))
    platform = from_outputs(stack, open_engine(stack, file, sink).outputs())
    return platform, credentials(secrets), secrets


def access_of(stack: str, file: Path | None, tenant: str, sink: Sink) -> Access:
    """One tenant's doors to the platform."""
    from mlops_infra.config import load, stack_file
    from mlops_infra.lifecycle.promotion.access import from_outside
    from mlops_infra.lifecycle.services.kubernetes_objects import KubernetesCluster

    config = load(file or stack_file(stack))
    platform, credentials, secrets = platform_of(stack, file, sink)
    declared = config.tenants.get(tenant)
    return from_outside(
        platform,
        credentials,
        secrets,
        KubernetesCluster(*kubeconfig_of(stack, config)),
        tenant=tenant,
        bucket=declared.bucket if declared else None,
    )
