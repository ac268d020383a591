"""The Secrets of each component, as specifications."""

from __future__ import annotations

from mlops_infra.catalog import CatalogSecret, Component
from mlops_infra.config import StackConfig
from mlops_infra.plan.model import FromConfig, Generated, Literal, SecretSpec, SecretValue
from mlops_infra.plan.selection import STORES, Selection, StoreName, engine, store


def specs(
    component: Component, config: StackConfig, selection: Selection
) -> tuple[SecretSpec, ...]:
    """What must exist before the component's chart: its own Secrets and its clients' accounts."""
    assert component.namespace is not None  # noqa: S101 - a test holds it for what is available
    own = [
        _spec(secret, component.namespace, config)
        for secret in component.secrets
        if _wanted(secret, component, config)
    ]
    return (*own, *_accounts(component, config, selection))


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
        if secret.shared and secret.store in here and _wanted(secret, choice.component, config)
    )


def _wanted(secret: CatalogSecret, component: Component, config: StackConfig) -> bool:
    if secret.when is None:
        return True
    return bool(getattr(config.components[component.name].settings, secret.when))


def _spec(secret: CatalogSecret, namespace: str, config: StackConfig) -> SecretSpec:
    keys = {key: _value(key, recipe, secret, config) for key, recipe in secret.keys.items()}
    return SecretSpec(secret.name, namespace, keys)


def _value(key: str, recipe: str, secret: CatalogSecret, config: StackConfig) -> SecretValue:
    kind, _, rest = recipe.partition(":")
    if kind == "store":
        return Literal(str(getattr(store(config, _store(secret)), rest)))
    if secret.store is not None:
        opened = store(config, _store(secret))
        if opened.state == "external" and opened.secret is not None:
            return FromConfig(opened.secret, key)
    return Generated(rest) if kind == "generated" else Literal(rest)


def _store(secret: CatalogSecret) -> StoreName:
    return next(name for name in STORES if name == secret.store)
