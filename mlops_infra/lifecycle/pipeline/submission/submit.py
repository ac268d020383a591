"""Sends a pipeline and the person's code to a tenant's namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Value
from mlops_infra.lifecycle.pipeline.definition.places import code_object, object_of
from mlops_infra.lifecycle.pipeline.engines import argo
from mlops_infra.lifecycle.pipeline.engines.argo_settings import ArgoSettings
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy

IMAGE = contract.RUNTIME_IMAGE_VARIABLE
"""The image that `up` has brought to the cluster; the one of today's source may be newer."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A run that the cluster has taken."""

    run: str
    namespace: str
    manifest: Mapping[str, Any]


def submit(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    tenancy: Tenancy,
    *,
    run: str,
    code_in_bucket: bool = False,
) -> Submitted:
    """Create the Workflow of one run.

    The code goes first, named by its content: to send it again is no error, and a Workflow never
    names code that is not there.

    Raises:
        InputError: nothing tells the tenant or the runtime image.
        OperationFailed: the cluster or the bucket refuses.
    """
    around = tenancy.around
    if around.tenant is None:
        raise InputError(
            "no tenant is configured",
            where=f"environment variable {contract.TENANT_VARIABLE}",
            hint="add -s STACK --tenant NAME; it is set in a tenant's Pods",
        )
    workflows, namespace = tenancy.workflows(), contract.tenant_namespace(around.tenant)
    settings = ArgoSettings(around.tenant, image_of(tenancy, namespace))
    if pipeline.code is not None:
        if code_in_bucket:
            settings = replace(settings, code=code_object(pipeline.code.sha256))
            storage.write(settings.code or "", pipeline.code.text.encode(), around)
        else:
            settings = replace(settings, code_config_map=f"code-{pipeline.code.sha256[:32]}")
            name, file = settings.code_config_map or "", f"{pipeline.code.sha256}.py"
            workflows.keep_code(namespace, name, file, pipeline.code.text)
    manifest = argo.workflow(pipeline, values, settings, run=run)
    workflows.create(manifest)
    return Submitted(run, namespace, manifest)


def image_of(tenancy: Tenancy, namespace: str) -> str:
    """The image of the steps: the given one, or the one that the platform tells its tenants.

    Raises:
        InputError: there is neither.
    """
    given = tenancy.around.runtime_image
    image = given or tenancy.workflows().platform(namespace).get(IMAGE)
    if image is None:
        raise InputError(
            "the platform has no image for steps",
            where=f"{IMAGE} in ConfigMap {namespace}/platform",
            hint="deploy the component lifecycle, or add --image REF",
        )
    return image


def metrics_of(pipeline: Pipeline, tenancy: Tenancy, run: str) -> dict[str, float]:
    """The metrics that a run in the cluster has written; empty where the pipeline names none.

    Raises:
        InputError: it has not written them, or the bucket is not named.
        OperationFailed: the object store does not answer.
    """
    if pipeline.metrics is None:
        return {}
    place = object_of("", run, pipeline.metrics)
    found: dict[str, float] = contents.load("metrics", storage.read(place, tenancy.around), place)
    return found
