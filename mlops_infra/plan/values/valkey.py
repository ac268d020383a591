"""Valkey: one volume, one password for the platform, one account for each tenant."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Volume and Secrets."""
    namespaces = [namespace for _, namespace in sorted(context.tenants.items())]
    return {
        **context.persistence("kv"),
        "auth": {"secret": contract.VALKEY_SECRET},
        "accounts": [{"secret": f"{namespace}-kv"} for namespace in namespaces],
    }
