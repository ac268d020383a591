"""The Secrets of each component, as specifications."""

from __future__ import annotations

from functools import reduce
from typing import Any

from mlops_infra import contract
from mlops_infra.catalog import CatalogSecret, Component
from mlops_infra.catalog.secrets import (
    CERTIFICATE_KEYS,
    Password,
    Recipe,
    ServerCertificate,
    Setting,
    StoreField,
)
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import STORES, Selection, StoreName, engine, store
from mlops_infra.plan.model.planned import (
    Certificate,
    FromConfig,
    Generated,
    Literal,
    SecretSpec,
    SecretValue,
)

_STORE_KEYS = {
    "object": ("accessKey", "secretKey"),
    "sql": ("username", "password"),
    "kv": ("password",),
}
"""What the owner of an external store hands over."""


def specs(
    component: Component, config: StackConfig, selection: Selection
) -> tuple[SecretSpec, ...]:
    """What must exist before the component's chart: its own Secrets and its clients' accounts."""
    own = [
        _spec(secret, component.namespace or "", config)
        for secret in component.secrets
        if _wanted(secret, config)
    ]
    return (*own, *_lineage(component, config), *_accounts(component, config, selection))


def _lineage(component: Component, config: StackConfig) -> tuple[SecretSpec, ...]:
    """The password of an external key-value store, where jobs and people look for it.

    A managed one brings the same Secret itself.
    """
    kv = config.stores.kv
    if "tracking" not in component.provides or kv.state != "external" or kv.secret is None:
        return ()
    keys = {"password": FromConfig(kv.secret, "password")}
    return (SecretSpec(contract.VALKEY_SECRET, contract.STORES_NAMESPACE, keys),)


def accounts(component: Component, config: StackConfig, selection: Selection) -> tuple[str, ...]:
    """Names of the clients' Secrets that stand beside a store."""
    return tuple(spec.name for spec in _accounts(component, config, selection))


def _accounts(
    provider: Component, config: StackConfig, selection: Selection
) -> tuple[SecretSpec, ...]:
    served = [s for s in STORES if store(config, s).state == "managed"]
    here = [s for s in served if engine(config, s) == provider.name]
    return tuple(
        _spec(secret, provider.namespace or "", config)
        for choice in selection.choices
        for secret in choice.component.secrets
        if secret.shared and secret.store in here and _wanted(secret, config)
    )


def _wanted(secret: CatalogSecret, config: StackConfig) -> bool:
    asked = secret.when
    return asked is None or bool(
        getattr(config.components[asked.component].settings, asked.setting)
    )


def _spec(secret: CatalogSecret, namespace: str, config: StackConfig) -> SecretSpec:
    keys = {
        key: _value(key, recipe, secret, namespace, config) for key, recipe in secret.keys.items()
    }
    return SecretSpec(secret.name, namespace, keys)


def _value(
    key: str, recipe: Recipe, secret: CatalogSecret, namespace: str, config: StackConfig
) -> SecretValue:
    match recipe:
        case ServerCertificate(service):
            assert key in CERTIFICATE_KEYS  # noqa: S101 - the catalog's reader has seen to it
            return Certificate(service, namespace, key)
        case Setting(component, path, name):
            found: Any = reduce(getattr, path, config.components[component].settings)
            return FromConfig(str(found), name)
        case StoreField(field):
            return Literal(str(getattr(store(config, _store(secret)), field)))
    if secret.store is not None:
        opened = store(config, _store(secret))
        handed = opened.state == "external" and key in _STORE_KEYS[_store(secret)]
        if handed and opened.secret is not None:
            return FromConfig(opened.secret, key)
    return Generated(recipe.id) if isinstance(recipe, Password) else Literal(recipe.value)


def _store(secret: CatalogSecret) -> StoreName:
    return next(name for name in STORES if name == secret.store)
