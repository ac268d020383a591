"""The outputs that both profiles promise, as far as they can be told before deployment."""

from __future__ import annotations

from typing import Any

from mlops_infra import __version__
from mlops_infra.catalog import Catalog
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import Selection
from mlops_infra.plan.network import addresses

CONTRACT = (
    "profile",
    "environment",
    "version",
    "artifact_root",
    "tracking_uri",
    "registry_uri",
    "pipeline_endpoint",
    "feature_endpoint",
    "serving_endpoint",
    "catalog",
    "lineage_endpoint",
    "notebooks_url",
    "dashboards_url",
    "components",
)
"""Keys that are always there; null where nothing stands behind one."""

_ENDPOINTS = {
    "tracking_uri": ("mlflow",),
    "registry_uri": ("mlflow",),
    "pipeline_endpoint": ("kubeflow-pipelines",),
    "feature_endpoint": ("feast",),
    "serving_endpoint": ("lifecycle",),
    "notebooks_url": ("notebooks",),
    "dashboards_url": ("grafana",),
}


def outputs(config: StackConfig, selection: Selection, catalog: Catalog) -> dict[str, Any]:
    """The contract's keys, and what only this profile has: its tenants and its own object store."""
    found: dict[str, Any] = dict.fromkeys(CONTRACT)
    found["profile"] = config.profile
    found["environment"] = config.environment
    found["version"] = __version__
    found["components"] = {c.component.name: c.version for c in selection.choices}
    for key, names in _ENDPOINTS.items():
        urls = (_component(name, config, selection, catalog) for name in names)
        found[key] = next((url for url in urls if url), None)
    if config.stores.object.state != "removed":
        prefix = config.components.mlflow.settings.artifact_prefix
        found["artifact_root"] = f"s3://{config.stores.object.bucket}/{prefix}"
    found["lineage_endpoint"] = _lineage(config, catalog)
    found["tenants"] = sorted(config.tenants)
    found["object_endpoint"] = _object(config, catalog)
    found["serving_grpc_endpoint"] = _grpc(config, selection, catalog)
    return found


def _component(
    name: str, config: StackConfig, selection: Selection, catalog: Catalog
) -> str | None:
    wanted = config.components[name]
    if wanted.state == "external":
        return wanted.endpoint
    if name not in selection or not catalog[name].ports:
        return None
    return addresses.outside(catalog[name], catalog[name].ports[0], config)


def _grpc(config: StackConfig, selection: Selection, catalog: Catalog) -> str | None:
    """The model gateway's second door; a gateway that someone else runs tells only its first."""
    if "lifecycle" not in selection:
        return None
    component = catalog["lifecycle"]
    return addresses.outside(component, component.port("grpc"), config)


def _lineage(config: StackConfig, catalog: Catalog) -> str | None:
    store = config.stores.kv
    if store.state == "external":
        return f"redis://{store.endpoint}"
    component = catalog[store.engine]
    if store.state == "removed" or not component.ports:
        return None
    return addresses.outside(component, component.ports[0], config)


def _object(config: StackConfig, catalog: Catalog) -> str | None:
    store = config.stores.object
    if store.state == "external":
        return store.endpoint
    component = catalog[store.engine]
    if store.state == "removed" or not component.ports:
        return None
    return addresses.outside(component, component.ports[0], config)
