"""The feature store."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Its stores, its definitions, and when features are copied to the online store."""
    settings = context.config.components.feast.settings
    return {
        "project": settings.project,
        "repository": {
            "demo": settings.demo,
            "definitions": dict(settings.definitions),
            "configMap": settings.config_map or "",
        },
        "materialize": {"schedule": settings.materialize},
        "database": {**context.database, "secret": "feast-db"},
        "onlineStore": {**context.key_value, "secret": "feast-kv"},
        "networkPolicy": {
            "clients": [*context.clients, *context.tenant_clients],
            "servers": [context.server("sql"), context.server("kv")],
        },
    }
