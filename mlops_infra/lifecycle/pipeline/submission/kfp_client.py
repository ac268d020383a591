"""The client of Kubeflow Pipelines for whose pipelines a command or a trigger runs."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.submission.kfp_api import PipelinesApi
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy


def api_of(tenancy: Tenancy) -> PipelinesApi:
    """The server of the platform, for the tenant.

    Raises:
        InputError: no tenant or no Kubeflow Pipelines is configured.
    """
    tenant = tenancy.around.tenant
    if tenant is None:
        raise InputError(
            "no tenant is configured",
            where=f"environment variable {contract.TENANT_VARIABLE}",
            hint="add -s STACK --tenant NAME; it is set in a tenant's Pods",
        )
    namespace = contract.tenant_namespace(tenant)
    return PipelinesApi(tenancy.pipelines(namespace), namespace)
