"""The S3 gateway: one bucket and one account for each tenant."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Volume, root credentials, region and the accounts to make."""
    return {
        **context.persistence("object"),
        "auth": {"secret": contract.OBJECT_STORE_ROOT_SECRET},
        "region": context.config.stores.object.region,
        "accounts": accounts(context),
    }


def accounts(context: Context) -> list[Values]:
    """One for each tenant, from the Secrets beside this store (`tenancy.accounts.copies`)."""
    return [
        {
            "secret": f"{contract.tenant_namespace(name)}-s3",
            "bucket": contract.tenant_namespace(name),
            "onRemoval": tenant.on_removal,
        }
        for name, tenant in sorted(context.config.tenants.items())
    ]
