"""The scheduler for DAGs that exist already."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Its stores, its DAGs and the MLflow that tasks tell of."""
    config, settings = context.config, context.config.components.airflow.settings
    objects = config.stores.object
    return {
        "database": {**context.database, "secret": "airflow-db"},
        "objectStore": {
            "endpoint": context.object_url,
            "region": objects.region,
            "bucket": objects.bucket,
            "secret": "airflow-s3",
        },
        "mlflow": context.url("mlflow") or "",
        "dags": {"configMap": settings.dags or ""},
        "timezone": settings.timezone,
        "networkPolicy": {
            "servers": [
                context.server("sql"),
                context.server("object"),
                *context.component_server("mlflow"),
            ]
        },
    }
