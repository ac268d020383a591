"""Distributed training."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import webhook


def values(context: Context) -> Values:
    """The webhooks of both controllers."""
    found = webhook(context, "trainer-webhook-cert")
    found["webhook"]["jobsetSecret"] = "jobset-webhook-cert"
    return found
