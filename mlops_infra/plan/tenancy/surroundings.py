"""What Pods of a tenant read as environment: ConfigMap `platform` of the tenant's namespace.

`mlops_infra.lifecycle.services.environment` lists the names that steps and notebooks understand;
logins stand in the tenant's Secrets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from mlops_infra import contract
from mlops_infra.catalog import Catalog
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import engine, store
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.network import addresses, site
from mlops_infra.plan.tenancy import pipelines
from mlops_infra.plan.tenancy.accounts import identity
from mlops_infra.plan.tenancy.serving import serving


@dataclass(frozen=True, slots=True)
class PodImages:
    """References of images that Pods of tenants run; None where the stack has none."""

    runtime: str | None = None
    """Steps, notebooks and jobs."""
    loader: str | None = None
    """Fetches models for Seldon Core."""


def surroundings(name: str, of: Deployment, images: PodImages) -> dict[str, str]:
    """Variables and their values; what the stack does not have is absent."""
    config, objects = of.config, of.config.stores.object
    told: dict[str, str | None] = {
        contract.TENANT_VARIABLE: name,
        contract.RUNTIME_IMAGE_VARIABLE: images.runtime,
        contract.SERVING_VARIABLE: json.dumps(serving(name, of, images.loader)),
        "MLFLOW_TRACKING_URI": _url("mlflow", of),
        contract.FEATURES_VARIABLE: _url("feast", of),
        contract.GATEWAY_VARIABLE: _url("lifecycle", of),
        contract.PIPELINES_VARIABLE: pipelines.url(of),
        contract.LINEAGE_VARIABLE: _lineage(name, config, of.catalog),
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    }
    if objects.state != "removed":
        endpoint = addresses.object_url(config, of.catalog)
        told |= {
            "AWS_ENDPOINT_URL_S3": endpoint,
            "MLFLOW_S3_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": objects.region,
            contract.BUCKET_VARIABLE: config.tenants[name].bucket or identity(name),
        }
    told |= site.environment(config)
    return {key: value for key, value in told.items() if value}


def _url(name: str, of: Deployment) -> str | None:
    wanted = of.config.components[name]
    if wanted.state == "external":
        return wanted.endpoint
    return _inside(name, of.catalog) if name in of.selection else None


def _inside(name: str, catalog: Catalog) -> str | None:
    ports = catalog[name].ports
    return addresses.inside(catalog[name], ports[0]) if ports else None


def _lineage(name: str, config: StackConfig, catalog: Catalog) -> str | None:
    match store(config, "kv").state:
        case "external":
            return f"redis://{config.stores.kv.endpoint}"
        case "managed":
            component = catalog[engine(config, "kv")]
            host, port = addresses.host(component), component.ports[0].number
            return f"redis://{identity(name)}@{host}:{port}"
    return None
