"""Opens what `verify` needs to go through the whole life of one declared model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_infra.config.language.section import SERVING_ENGINES
from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.config import StackConfig
    from mlops_infra.lifecycle.verify.tour import TourClients

NEEDED = ("argo-workflows", "lifecycle")
"""Components without which a model has no such life here; and one that serves models."""


def chosen(config: StackConfig, wanted: str | None) -> tuple[str, str] | None:
    """Tenant and model to go through; None where the journey ends at the registry.

    On somebody's own cluster nothing is taken without being asked for: the tour replaces what the
    endpoint serves.

    Raises:
        InputError: the stack does not declare `wanted`, or not all that the tour looks at.
    """
    if wanted is not None:
        tenant, _, model = wanted.partition("/")
        if tenant not in config.tenants or model not in config.tenants[tenant].models:
            known = ", ".join(f"{t}/{m}" for t, m in _declared(config)) or "none"
            raise InputError(
                f"'{wanted}' is not a declared model", hint=f"TENANT/MODEL; declared: {known}"
            )
        return tenant, model
    if not config.cluster.embedded:
        return None
    whole = (each for each in _declared(config) if _whole(config, *each))
    return next(whole, None)


def clients(opened: OpenStack, model: tuple[str, str]) -> TourClients:
    """The clients to one declared model.

    Raises:
        InputError: a component is missing, or the model declares no drift or batch job.
    """
    from mlops_infra.lifecycle.data.feature_server import FeatureServer
    from mlops_infra.lifecycle.verify.cron_jobs import JobRuns, cron_job
    from mlops_infra.lifecycle.verify.tour import TourClients

    tenant, name = model
    config = opened.config
    _require(config, tenant, name)
    job, batch = next(iter(config.tenants[tenant].models[name].batch.items()))
    endpoint = opened.outputs.get("feature_endpoint")
    managed = config.components["feast"].state == "managed"
    return TourClients(
        access=opened.access(tenant),
        tenancy=opened.tenancy(tenant),
        features=FeatureServer(str(endpoint)) if endpoint else None,
        triggers=opened.triggers(),
        jobs=JobRuns(*opened.kubeconfig),
        model=name,
        batch_job=cron_job("batch", tenant, name, job),
        drift_job=cron_job("drift", tenant, name),
        batch_source=batch.source.removeprefix("s3://").partition("/")[2],
        materialize_job=("feast", "feast-materialize") if managed else None,
    )


def _declared(config: StackConfig) -> list[tuple[str, str]]:
    return [(t, m) for t, tenant in sorted(config.tenants.items()) for m in sorted(tenant.models)]


def _whole(config: StackConfig, tenant: str, name: str) -> bool:
    model = config.tenants[tenant].models[name]
    there = all(_managed(config, each) for each in NEEDED)
    served = any(_managed(config, each) for each in SERVING_ENGINES)
    buckets = any(each.source.startswith("s3://") for each in model.batch.values())
    return there and served and model.drift is not None and model.retrain.drift and buckets


def _managed(config: StackConfig, component: str) -> bool:
    return config.components[component].state == "managed"


def _require(config: StackConfig, tenant: str, name: str) -> None:
    if not _whole(config, tenant, name):
        raise InputError(
            f"the life cycle of {tenant}/{name} cannot be tested: it needs {', '.join(NEEDED)} "
            f"and {' or '.join(SERVING_ENGINES)} managed, drift, retrain.drift and a batch job over s3://",
            where=f"tenants.{tenant}.models.{name}",
            hint="see the example in stacks/Pulumi.sandbox.yaml",
        )
