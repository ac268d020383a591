"""The tracking server."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.plan.network import addresses
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.envoy_gateway import host


def values(context: Context) -> Values:
    """Its stores, its names and who may log in."""
    config, settings = context.config, context.config.components.mlflow.settings
    objects = config.stores.object
    edge = host("mlflow", context)
    return {
        "workers": settings.workers,
        # the chart lists each name with and without a port
        "allowedHosts": [
            *addresses.server_names(context.component, config),
            *settings.allowed_hosts,
            *([edge] if edge else []),
        ],
        # browsers at the edge tell its name as their origin
        "corsAllowedOrigins": [f"https://{edge}", f"http://{edge}"] if edge else [],
        "database": {**context.database, "secret": "mlflow-db"},
        "objectStore": {
            "endpoint": context.object_url,
            "region": objects.region,
            "bucket": objects.bucket,
            "prefix": settings.artifact_prefix,
            "secret": contract.MLFLOW_OBJECTS_SECRET,
        },
        "auth": {"enabled": settings.auth, "secret": contract.MLFLOW_SECRET, **_tenants(context)},
        "networkPolicy": {"servers": [context.server("sql"), context.server("object")]},
    }


def _tenants(context: Context) -> Values:
    """An account for each tenant; with tenants, nobody sees what another one has made."""
    if not context.config.tenants:
        return {}
    secrets = [f"{namespace}-mlflow" for _, namespace in sorted(context.tenants.items())]
    return {
        "defaultPermission": "NO_PERMISSIONS",
        "users": [{"secret": secret} for secret in secrets],
        "userPrefix": contract.tenant_namespace(""),
    }
