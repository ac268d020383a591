"""The S3 store for sites that want more than a gateway over a file system."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.plan.tenancy.accounts import identity
from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Volume, the account that may do everything, and one with its own bucket for each tenant."""
    tenants = [identity(name) for name in sorted(context.config.tenants)]
    users = [{"name": name, "bucket": name, "secret": f"{name}-s3"} for name in tenants]
    return {
        **context.persistence("object"),
        "auth": {"secret": contract.OBJECT_STORE_ROOT_SECRET, "users": users},
    }
