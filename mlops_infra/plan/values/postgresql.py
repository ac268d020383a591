"""PostgreSQL: one database and one user for each client; tenants are guests of one of them."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.plan.values import secrets
from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Volume, and the Secrets that name the databases to make."""
    names = secrets.accounts(context.component, context.config, context.selection)
    return {
        **context.persistence("sql"),
        "auth": {"secret": contract.POSTGRESQL_ADMIN_SECRET},
        "databases": [{"secret": name} for name in names],
        "guests": _guests(context),
    }


def _guests(context: Context) -> list[Values]:
    """From the tenants' Secrets beside this store (see `tenancy.accounts.copies`)."""
    if "lifecycle" not in context.selection:
        return []
    return [
        {"secret": f"{contract.tenant_namespace(name)}-db", "onRemoval": tenant.on_removal}
        for name, tenant in sorted(context.config.tenants.items())
    ]
