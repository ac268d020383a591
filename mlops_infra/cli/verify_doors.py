"""Opens what `verify` needs to go through the whole life of one declared model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra.cli.access import kubeconfig_of
from mlops_infra.errors import InputError
from mlops_infra.progress import Sink

if TYPE_CHECKING:
    from mlops_infra.config import StackConfig
    from mlops_infra.lifecycle.verify.tour import TourClients

NEEDED = ("argo-workflows", "kserve", "lifecycle")
"""Components without which a model has no such life here."""


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


def clients(
    stack: str, config: StackConfig, file: Path | None, model: tuple[str, str], sink: Sink
) -> TourClients:
    """The clients to one declared model.

    Raises:
        InputError: a component is missing, or the model declares no drift or batch job.
    """
    from mlops_infra.cli.doors import access_of
    from mlops_infra.engine import open_engine
    from mlops_infra.lifecycle.data.feature_server import FeatureServer
    from mlops_infra.lifecycle.pipeline.submission import tenancy
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets
    from mlops_infra.lifecycle.triggers.client import TriggerClient
    from mlops_infra.lifecycle.verify.cron_jobs import JobRuns, cron_job
    from mlops_infra.lifecycle.verify.tour import TourClients

    tenant, name = model
    _require(config, tenant, name)
    kubeconfig, context = kubeconfig_of(stack, config)
    secrets = ClusterSecrets(kubeconfig, context)
    outputs = open_engine(stack, file, sink).outputs()
    job, batch = next(iter(config.tenants[tenant].models[name].batch.items()))
    endpoint = outputs.get("feature_endpoint")
    managed = config.components["feast"].state == "managed"
    return TourClients(
        access=access_of(stack, file, tenant, sink),
        tenancy=tenancy.of_stack(
            stack,
            config,
            tenant,
            outputs,
            kubeconfig=kubeconfig,
            context=context,
        ),
        features=FeatureServer(str(endpoint)) if endpoint else None,
        triggers=TriggerClient(kubeconfig, context, secrets),
        jobs=JobRuns(kubeconfig, context),
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
    there = all(config.components[each].state == "managed" for each in NEEDED)
    buckets = any(each.source.startswith("s3://") for each in model.batch.values())
    return there and model.drift is not None and model.retrain.drift and buckets


def _require(config: StackConfig, tenant: str, name: str) -> None:
    if not _whole(config, tenant, name):
        raise InputError(
            f"the life cycle of {tenant}/{name} cannot be tested: it needs {', '.join(NEEDED)} "
            "managed, drift, retrain.drift and a batch job over s3://",
            where=f"tenants.{tenant}.models.{name}",
            hint="see the example in stacks/Pulumi.sandbox.yaml",
        )
