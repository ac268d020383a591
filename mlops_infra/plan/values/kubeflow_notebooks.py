"""Kubeflow's notebook controller, and a Notebook for everybody who is a member of a tenant."""

from __future__ import annotations

from mlops_infra.plan.tenancy.notebooks import MINUTE, entries
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import runs


def values(context: Context) -> Values:
    """Who gets a notebook, and when its kernels are stopped."""
    config, settings = context.config, context.config.components.notebooks.settings
    return {
        "users": entries(config),
        "persistence": {
            "size": settings.size,
            "storageClass": config.cluster.storage_class or "",
        },
        "cull": {"kernelSeconds": settings.idle_minutes * MINUTE},
        "awaitReady": runs(context),
    }
