"""Whose pipeline runs: a tenant of a stack, the tenant of this Pod, or nobody's on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.kube import Cluster
from mlops_infra.lifecycle.services.credentials import ClusterSecrets, Login, Secrets
from mlops_infra.lifecycle.services.endpoints import from_outputs
from mlops_infra.lifecycle.services.environment import Environment

if TYPE_CHECKING:
    from mlops_infra.config import StackConfig
    from mlops_infra.lifecycle.pipeline.submission.argo_run import Workflows
    from mlops_infra.lifecycle.pipeline.submission.kfp_api import Channel


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A tenant's surroundings and the cluster that it lives in."""

    around: Environment
    kubeconfig: Path | None = None
    context: str | None = None
    pipelines_inside: bool = False
    """Whether Kubeflow Pipelines runs in the cluster, where only a tunnel leads from here."""

    def workflows(self) -> Workflows:
        """The cluster's Workflows."""
        from mlops_infra.lifecycle.pipeline.submission.kubernetes_runs import KubernetesRuns

        return KubernetesRuns(self.kubeconfig, self.context)

    @property
    def has_pipelines(self) -> bool:
        """Whether the platform has Kubeflow Pipelines."""
        return self.pipelines_inside or self.around.pipelines_endpoint is not None

    def pipelines(self, namespace: str) -> Channel:
        """The way to Kubeflow Pipelines, for the tenant of this namespace.

        Raises:
            InputError: the platform has none.
        """
        from mlops_infra.lifecycle.pipeline.submission.kfp_channel import direct, inside

        endpoint = self.around.pipelines_endpoint
        if endpoint is not None:
            return direct(endpoint, self._cluster, namespace)
        if self.pipelines_inside:
            return inside(self.kubeconfig, self.context, self._cluster, namespace)
        raise InputError(
            "this platform has no Kubeflow Pipelines",
            where="components.kubeflow-pipelines",
            hint="set state: managed or external, then up; or use --engine argo",
        )

    def _cluster(self) -> Cluster:
        return Cluster.open(self.kubeconfig, self.context)


def here() -> Tenancy:
    """What the environment of this process tells."""
    return Tenancy(Environment.here())


def of_stack(
    stack: str,
    config: StackConfig,
    tenant: str,
    outputs: Mapping[str, object],
    *,
    kubeconfig: Path | None,
    context: str | None,
    image: str | None = None,
    secrets: Secrets | None = None,
) -> Tenancy:
    """A tenant of a stack, reached from outside of its cluster.

    Raises:
        InputError: the stack has no such tenant.
        OperationFailed: it is not up, or its Secrets cannot be read.
    """
    if tenant not in config.tenants:
        raise InputError(
            f"stack '{stack}' has no tenant '{tenant}'",
            hint=f"it has: {', '.join(sorted(config.tenants)) or 'none'}",
        )
    platform = from_outputs(stack, outputs)
    held = secrets or ClusterSecrets(kubeconfig, context)
    namespace, kubeflow = contract.tenant_namespace(tenant), config.components.kubeflow_pipelines
    lineage = held.read(namespace, "lineage")
    around = Environment(
        tracking_uri=platform.tracking_uri,
        tracking_login=_login(held.read(namespace, "mlflow"), "username", "password"),
        object_endpoint=platform.object_endpoint,
        objects=_login(
            held.read(namespace, contract.OBJECT_STORE_SECRET), "accessKey", "secretKey"
        ),
        bucket=config.tenants[tenant].bucket or namespace,
        tenant=tenant,
        lineage_endpoint=_with_user(platform.lineage_endpoint, lineage.get("username")),
        lineage_password=lineage.get("password"),
        features_endpoint=_url(outputs.get("feature_endpoint")),
        pipelines_endpoint=kubeflow.endpoint if kubeflow.state == "external" else None,
        runtime_image=image,
    )
    return Tenancy(around, kubeconfig, context, pipelines_inside=kubeflow.state == "managed")


def with_tracking(around: Environment, folder: Path) -> Environment:
    """The same; where no tracking server is configured, with a folder that does its work.

    MLflow keeps such folders only for those who ask for them by name.
    """
    if around.tracking_uri is not None:
        return around
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    return replace(around, tracking_uri=folder.absolute().as_uri())


def _with_user(endpoint: str | None, user: str | None) -> str | None:
    if endpoint is None or user is None:
        return endpoint
    scheme, _, rest = endpoint.partition("://")
    return f"{scheme}://{user}@{rest}"


def _url(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _login(keys: Mapping[str, str], name: str, password: str) -> Login | None:
    return Login(keys[name], keys[password]) if name in keys and password in keys else None
