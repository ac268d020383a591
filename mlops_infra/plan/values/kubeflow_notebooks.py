"""Kubeflow's notebook controller, and a Notebook for everybody who is a member of a tenant."""

from __future__ import annotations

from mlops_infra.plan.tenancy.notebooks import people
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import runs


def values(context: Context) -> Values:
    """Who gets a notebook, and when it is stopped."""
    config, settings = context.config, context.config.components.notebooks.settings
    return {
        "users": [
            {"tenant": person.tenant, "namespace": person.namespace, "name": person.name}
            for person in people(config)
        ],
        "persistence": {
            "size": settings.size,
            "storageClass": config.cluster.storage_class or "",
        },
        "cull": {"idleMinutes": settings.idle_minutes},
        "awaitReady": runs(context),
    }
