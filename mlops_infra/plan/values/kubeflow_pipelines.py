"""Kubeflow Pipelines."""

from __future__ import annotations

from mlops_infra.plan.network import addresses, peers
from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Its store, its database's volume, and the MLflow that runs are told to."""
    config, settings = context.config, context.config.components.kubeflow_pipelines.settings
    host, port = addresses.of_url(context.object_url)
    tracking = context.url("mlflow") if settings.mlflow else None
    with_login = tracking is not None and config.components.mlflow.settings.auth
    volume = context.volume(settings.size)["persistence"]
    return {
        "persistence": {**volume, "retain": settings.retain},
        "objectStore": {
            "host": host,
            "port": port,
            "secure": context.object_url.startswith("https://"),
            "region": config.stores.object.region,
            "bucket": settings.bucket,
            "secret": "kubeflow-pipelines-s3",
        },
        "mlflow": {
            "endpoint": tracking or "",
            "login": with_login,
        },
        "cache": settings.cache,
        "timezone": settings.timezone,
        "networkPolicy": {
            "clients": context.clients,
            "tenants": [*context.tenant_clients, *_triggers(context)],
            "servers": [
                context.server("object"),
                *(context.component_server("mlflow") if tracking else []),
            ],
        },
    }


def _triggers(context: Context) -> list[Values]:
    """Who starts trainings for tenants, by their tokens."""
    return [peers.pods(context.catalog["lifecycle"])] if "lifecycle" in context.selection else []
