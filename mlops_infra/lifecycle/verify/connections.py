"""Opens the services of a platform for the journey; nothing is asked of them yet."""

from __future__ import annotations

from urllib.parse import urlsplit

from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.services.credentials import Credentials
from mlops_infra.lifecycle.services.endpoints import Platform
from mlops_infra.lifecycle.services.object_store import ObjectStore, S3Store
from mlops_infra.lifecycle.services.proxy import bypass_proxy
from mlops_infra.lifecycle.verify.journey import Services


def connect(platform: Platform, credentials: Credentials) -> Services:
    """Clients for all that the platform offers."""
    from mlops_infra.lifecycle.registry.mlflow_tracking import MlflowTracking
    from mlops_infra.lifecycle.services.valkey import ValkeyStore

    bypass_proxy(platform)
    lineage = reach = None
    if platform.lineage_endpoint is not None:
        store = ValkeyStore(platform.lineage_endpoint, credentials.lineage_password)
        lineage, reach = Lineage(store), store.ping
    return Services(
        tracking=MlflowTracking(platform.tracking_uri, platform.registry_uri, credentials.tracking),
        lineage=lineage,
        lineage_reach=reach,
        objects=_objects(platform, credentials),
    )


def _objects(platform: Platform, credentials: Credentials) -> ObjectStore | None:
    root = urlsplit(platform.artifact_root or "")
    if platform.object_endpoint is None or credentials.objects is None or root.scheme != "s3":
        return None
    return S3Store(platform.object_endpoint, root.netloc, credentials.objects)
