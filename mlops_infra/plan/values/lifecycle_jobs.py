"""Triggers, drift and batch jobs: the declared models and what triggers connect to."""

from __future__ import annotations

from typing import Any

from mlops_infra import contract
from mlops_infra.config.tenants.models import ModelConfig
from mlops_infra.plan.tenancy import pipelines
from mlops_infra.plan.tenancy.accounts import identity
from mlops_infra.plan.values.context import Context, Values


def jobs(context: Context) -> Values:
    """The part of the values of chart `lifecycle` that is not the gateway's."""
    config = context.config
    return {
        "models": models(context),
        # without Argo there is nothing that a trigger could start
        "triggers": {"enabled": "argo-workflows" in context.selection},
        "tracking": {
            "uri": context.url("mlflow") or "",
            "secret": "lifecycle-mlflow" if config.components.mlflow.settings.auth else "",
        },
        "objectStore": {
            "endpoint": context.object_url,
            "region": config.stores.object.region,
            "secret": "lifecycle-s3",
        },
        "prometheus": context.url("prometheus") or "",
        "pipelines": pipelines.url(context.of) or "",
        "networkPolicy": {
            "triggerServers": [
                context.server("object"),
                *context.component_server("mlflow"),
                *context.component_server("prometheus"),
                *context.component_server(pipelines.NAME, "api"),
            ]
        },
    }


def models(context: Context) -> list[dict[str, Any]]:
    """Every declared model, in the form that the jobs read."""
    return [
        _model(tenant, name, model, context)
        for tenant, wanted in sorted(context.config.tenants.items())
        for name, model in sorted(wanted.models.items())
    ]


def _model(tenant: str, name: str, model: ModelConfig, context: Context) -> dict[str, Any]:
    # who serves it is told to the tenant's Pods: see `tenancy.serving`
    plain = model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"serving"})
    return {
        "tenant": tenant,
        "name": name,
        "namespace": contract.tenant_namespace(tenant),
        "bucket": context.config.tenants[tenant].bucket or identity(tenant),
        "pipelineEngine": context.config.tenants[tenant].pipeline_engine,
        **plain,
    }
