"""The accounts of tenants: one at each store and service, never shared, known on both sides.

A tenant's own Secrets stand in its namespace. Where a part of the platform must make the account,
the same values stand beside that part too, under a name that tells the tenant.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from mlops_infra import contract
from mlops_infra.catalog import Component
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import Selection, engine
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.model.planned import FromConfig, Generated, Literal, SecretSpec, SecretValue
from mlops_infra.plan.network import addresses
from mlops_infra.plan.tenancy import notebooks, pipelines

LIFECYCLE_DATABASE = "lifecycle"
"""Database of predictions, scores and triggers; its tables know the tenant of each row."""

_KSERVE = "serving.kserve.io/"

Keys = dict[str, SecretValue]


def identity(name: str) -> str:
    """The account of the tenant `name` at every store; also the name of its bucket."""
    return contract.tenant_namespace(name)


def sql_user(name: str) -> str:
    """The tenant's role in PostgreSQL, which needs no quotes."""
    return identity(name).replace("-", "_")


def own(name: str, of: Deployment) -> tuple[SecretSpec, ...]:
    """The Secrets in the tenant's namespace."""
    config, selection = of.config, of.selection
    namespace = contract.tenant_namespace(name)
    found: list[SecretSpec] = []
    if config.stores.object.state != "removed":
        keys = _objects(name, config)
        found.append(SecretSpec(contract.OBJECT_STORE_SECRET, namespace, keys))
        url = addresses.object_url(config, of.catalog)
        found.append(_serving(namespace, keys, url, config))
        if "seldon-core" in selection:
            found.append(_rclone(namespace, keys, url, config))
    if "mlflow" in selection and config.components.mlflow.settings.auth:
        found.append(SecretSpec("mlflow", namespace, _mlflow(name)))
    if config.stores.kv.state != "removed":
        found.append(SecretSpec("lineage", namespace, _lineage(name, config)))
    if "lifecycle" in selection:
        found.append(SecretSpec("lifecycle-db", namespace, _lifecycle(name, config)))
        found.append(SecretSpec(contract.GATEWAY_TOKEN_SECRET, namespace, _token(name)))
    found += pipelines.secrets(name, of)
    found += notebooks.tokens(name, config)
    return tuple(found)


def copies(
    component: Component, config: StackConfig, selection: Selection
) -> tuple[SecretSpec, ...]:
    """The Secrets from which `component` makes the tenants' accounts."""
    where = component.namespace or ""
    return tuple(
        SecretSpec(f"{identity(tenant)}-{suffix}", where, keys)
        for tenant in config.tenants
        for suffix, keys in _made_by(component, tenant, config, selection).items()
    )


def _made_by(
    component: Component, tenant: str, config: StackConfig, selection: Selection
) -> dict[str, Keys]:
    name, stores = component.name, config.stores
    found: dict[str, Keys] = {}
    if stores.object.state == "managed" and name == engine(config, "object"):
        found["s3"] = _objects(tenant, config)
    if stores.kv.state == "managed" and name == engine(config, "kv"):
        found["kv"] = _lineage(tenant, config)
    if stores.sql.state == "managed" and name == engine(config, "sql") and "lifecycle" in selection:
        found["db"] = _lifecycle(tenant, config)
    if name == "mlflow" and config.components.mlflow.settings.auth:
        found["mlflow"] = _mlflow(tenant)
    if name == "lifecycle":
        found["token"] = _token(tenant)
    return found


def _objects(tenant: str, config: StackConfig) -> Keys:
    objects = config.stores.object
    if objects.state == "external":
        secret = config.tenants[tenant].secret or objects.secret or ""
        return {key: FromConfig(secret, key) for key in ("accessKey", "secretKey")}
    return {
        "accessKey": Literal(identity(tenant)),
        "secretKey": Generated(f"{identity(tenant)}-s3"),
    }


def _serving(namespace: str, keys: Keys, object_url: str, config: StackConfig) -> SecretSpec:
    """The same under the names that KServe reads, with the address as annotations."""
    renamed = {
        "AWS_ACCESS_KEY_ID": keys["accessKey"],
        "AWS_SECRET_ACCESS_KEY": keys["secretKey"],
    }
    url = urlsplit(object_url)
    verified = url.scheme == "https"
    return SecretSpec(
        contract.SERVING_S3_SECRET,
        namespace,
        renamed,
        annotations={
            f"{_KSERVE}s3-endpoint": url.netloc,
            f"{_KSERVE}s3-usehttps": str(int(verified)),
            f"{_KSERVE}s3-verifyssl": str(int(verified)),
            f"{_KSERVE}s3-region": config.stores.object.region,
            f"{_KSERVE}s3-useanoncredential": "false",
        },
    )


def _rclone(namespace: str, keys: Keys, object_url: str, config: StackConfig) -> SecretSpec:
    """The same as rclone reads it, which fetches models for Seldon Core: a remote named `s3`."""
    remote: Keys = {
        "TYPE": Literal("s3"),
        "PROVIDER": Literal("Other"),
        "ENV_AUTH": Literal("false"),
        "ACCESS_KEY_ID": keys["accessKey"],
        "SECRET_ACCESS_KEY": keys["secretKey"],
        "ENDPOINT": Literal(object_url),
        "REGION": Literal(config.stores.object.region),
    }
    named = {f"RCLONE_CONFIG_S3_{key}": value for key, value in remote.items()}
    return SecretSpec(contract.SERVING_RCLONE_SECRET, namespace, named)


def _mlflow(tenant: str) -> Keys:
    return {
        "username": Literal(identity(tenant)),
        "password": Generated(f"{identity(tenant)}-mlflow"),
    }


def _lineage(tenant: str, config: StackConfig) -> Keys:
    store = config.stores.kv
    if store.state == "external":
        return {"password": FromConfig(store.secret or "", "password")}
    return {
        "username": Literal(identity(tenant)),
        "password": Generated(f"{identity(tenant)}-kv"),
    }


def _lifecycle(tenant: str, config: StackConfig) -> Keys:
    store = config.stores.sql
    database = Literal(LIFECYCLE_DATABASE)
    if store.state == "external":
        login = {key: FromConfig(store.secret or "", key) for key in ("username", "password")}
        return {**login, "database": database}
    return {
        "username": Literal(sql_user(tenant)),
        "password": Generated(f"{identity(tenant)}-db"),
        "database": database,
    }


def _token(tenant: str) -> Keys:
    return {"token": Generated(f"{identity(tenant)}-gateway")}
