"""Model serving by Seldon Core."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import webhook


def values(context: Context) -> Values:
    """Its webhook."""
    return webhook(context, "seldon-webhook-server-cert")
