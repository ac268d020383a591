"""The model gateway and the platform's own jobs: their stores, and the tenants they serve."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.plan.network import addresses, peers
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.lifecycle_jobs import jobs


def values(context: Context) -> Values:
    """Stores by name of their Secrets, a token for each tenant, and what jobs need besides."""
    more = jobs(context)
    exposed = addresses.node_port(context.component.port("grpc"), context.config)
    return {
        **more,
        "gateway": {"grpcNodePort": exposed} if exposed else {},
        "database": {**context.database, "secret": "lifecycle-db"},
        "keyValue": {**context.key_value, "secret": "lifecycle-kv"},
        "tenants": [
            {
                "name": tenant,
                "namespace": contract.tenant_namespace(tenant),
                # beside the gateway: see `tenancy.accounts.copies`
                "tokenSecret": f"{contract.tenant_namespace(tenant)}-token",
            }
            for tenant in sorted(context.config.tenants)
        ],
        "metrics": {"clients": _scraping(context)},
        "networkPolicy": {
            **more["networkPolicy"],
            "servers": [context.server("sql"), context.server("kv")],
        },
    }


def _scraping(context: Context) -> list[Values]:
    """Prometheus and Alertmanager; figures of all tenants are no tenant's business."""
    selected = (choice.component for choice in context.selection.choices)
    return [peers.pods(each) for each in selected if "metrics" in each.provides]
