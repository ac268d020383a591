"""Opens what a promotion works with: from a terminal through the stack's outputs and Secrets, or in
a Pod of the tenant through its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.client import GatewayClient
from mlops_infra.lifecycle.lineage.endpoint_history import EndpointHistory
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.promotion.publisher import TenantBucket
from mlops_infra.lifecycle.promotion.routes import Routing
from mlops_infra.lifecycle.promotion.services import RolloutServices
from mlops_infra.lifecycle.registry.versions import MlflowModels
from mlops_infra.lifecycle.services.credentials import Credentials, Login, Secrets
from mlops_infra.lifecycle.services.endpoints import Platform
from mlops_infra.lifecycle.services.environment import PLATFORM, Environment
from mlops_infra.lifecycle.services.kubernetes_objects import (
    CONFIG_MAP,
    Cluster,
    KubernetesCluster,
)
from mlops_infra.lifecycle.services.object_store import S3Store
from mlops_infra.lifecycle.services.proxy import bypass_proxy
from mlops_infra.lifecycle.services.valkey import ValkeyStore
from mlops_infra.lifecycle.serving import engines
from mlops_infra.lifecycle.serving.engines import Engines
from mlops_infra.lifecycle.serving.interface import Scaling


@dataclass(frozen=True, slots=True)
class Access:
    """One tenant's doors to the platform."""

    tenant: str
    registry: MlflowModels
    store: ValkeyStore
    objects: S3Store
    bucket: str
    gateway: GatewayClient | None
    cluster: Cluster
    engines: Engines

    def parts(
        self, model: str, engine: str | None = None, scaling: Scaling | None = None
    ) -> RolloutServices:
        """All that a rollout of one model needs.

        Args:
            model: its registered name.
            engine: what serves new versions, instead of what the configuration chooses.
            scaling: of new servers.

        Raises:
            InputError: the stack does not have that engine.
        """
        return RolloutServices(
            registry=self.registry,
            engine=self.engines.of(model, engine),
            servings=self.engines.servings(self.cluster),
            routing=Routing(self.store),
            publisher=TenantBucket(self.objects, self.bucket, self.registry),
            lineage=Lineage(self.store),
            history=EndpointHistory(self.store),
            observer=self.gateway,
            scaling=scaling or Scaling(),
        )


def from_outside(
    platform: Platform,
    credentials: Credentials,
    secrets: Secrets,
    cluster: Cluster,
    *,
    tenant: str,
    bucket: str | None = None,
) -> Access:
    """A tenant's access for a person whose kubeconfig may read the tenant's Secrets.

    Raises:
        InputError: the stack has no such tenant, or lacks a part that promotion needs.
    """
    bypass_proxy(platform)
    namespace = contract.tenant_namespace(tenant)
    keys = secrets.read(namespace, contract.OBJECT_STORE_SECRET)
    if not keys:
        raise InputError(
            f"no such tenant: '{tenant}'",
            where=f"Secret {namespace}/object-store",
            hint="declare it under tenants, then: mlops-infra up -s STACK",
        )
    if platform.lineage_endpoint is None or platform.object_endpoint is None:
        raise InputError(
            "promotion needs the key-value store and the object store",
            where="outputs lineage_endpoint and object_endpoint",
            hint="set stores.kv and stores.object to managed or external, and expose them",
        )
    held = bucket or namespace
    login = Login(keys["accessKey"], keys["secretKey"])
    return Access(
        tenant=tenant,
        registry=MlflowModels(platform.tracking_uri, platform.registry_uri, credentials.tracking),
        store=ValkeyStore(platform.lineage_endpoint, credentials.lineage_password),
        objects=S3Store(platform.object_endpoint, held, login),
        bucket=held,
        gateway=gateway_of(platform, secrets, tenant),
        cluster=cluster,
        engines=_deployed_engines(cluster, namespace),
    )


def gateway_of(platform: Platform, secrets: Secrets, tenant: str) -> GatewayClient | None:
    """The tenant's view of the gateway; None where the stack has none."""
    if platform.serving_endpoint is None:
        return None
    namespace = contract.tenant_namespace(tenant)
    token = secrets.read(namespace, contract.GATEWAY_TOKEN_SECRET).get("token")
    if token is None:
        raise OperationFailed(
            f"tenant '{tenant}' has no token for the model gateway",
            where=f"Secret {namespace}/{contract.GATEWAY_TOKEN_SECRET}",
            hint="mlops-infra up -s STACK creates it",
        )
    return GatewayClient(platform.serving_endpoint, tenant, token)


def _deployed_engines(cluster: Cluster, namespace: str) -> Engines:
    """What the tenant's own Pods are told: the stack's file may have changed since."""
    found = cluster.get(CONFIG_MAP, namespace, PLATFORM) or {}
    return engines.read(found.get("data") or {}, f"ConfigMap {namespace}/{PLATFORM}")


def in_a_pod(around: Environment, environment: Mapping[str, str] | None = None) -> Access:
    """The access that a Pod of the tenant has, by its environment and ServiceAccount.

    Raises:
        InputError: the environment lacks something, by name.
    """
    told = os.environ if environment is None else environment
    wanted = {
        contract.TENANT_VARIABLE: around.tenant,
        contract.LINEAGE_VARIABLE: around.lineage_endpoint,
        "AWS_ENDPOINT_URL_S3": around.object_endpoint,
        "AWS_ACCESS_KEY_ID": around.objects,
        contract.BUCKET_VARIABLE: around.bucket,
    }
    missing = [name for name, value in wanted.items() if value is None]
    if missing:
        raise InputError(
            f"promotion needs {', '.join(missing)}",
            where="environment of this Pod",
            hint="they come from ConfigMap platform and the tenant's Secrets",
        )
    # checked above, which a type checker cannot see
    assert around.tenant and around.lineage_endpoint and around.object_endpoint  # noqa: S101, PT018
    assert around.objects and around.bucket  # noqa: S101, PT018
    uri, url, token = (
        around.need_tracking(),
        told.get(contract.GATEWAY_VARIABLE),
        told.get(contract.GATEWAY_TOKEN_VARIABLE),
    )
    return Access(
        tenant=around.tenant,
        registry=MlflowModels(uri, uri, around.tracking_login),
        store=ValkeyStore(around.lineage_endpoint, around.lineage_password),
        objects=S3Store(around.object_endpoint, around.bucket, around.objects),
        bucket=around.bucket,
        gateway=GatewayClient(url, around.tenant, token) if url and token else None,
        cluster=KubernetesCluster(),
        engines=engines.read(told, "environment of this Pod"),
    )
