"""Hyperparameter search."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import webhook


def values(context: Context) -> Values:
    """Its database, and where and as what trials may run."""
    kinds = ["Job.v1.batch"]
    if "trainer" in context.selection:
        kinds.append("TrainJob.v1alpha1.trainer.kubeflow.org")
    return {
        **webhook(context, "katib-webhook-cert"),
        "database": {**context.database, "secret": "katib-db"},
        "trials": {"namespaces": sorted(context.tenants.values()), "resources": kinds},
        # The page believes a header: no Pod may connect, nor does the edge lead there.
        "networkPolicy": {"clients": context.clients, "servers": [context.server("sql")]},
    }
