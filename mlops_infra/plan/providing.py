"""Who serves a need: a store, another component, or someone outside of this kit."""

from __future__ import annotations

from mlops_infra.catalog import Catalog, Component
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import STORES, Choice, StoreName, engine, store
from mlops_infra.plan.model.refusals import Refusals

CRDS = "crds"
"""The component, and the capability, of all CustomResourceDefinitions."""


def providers(
    choice: Choice,
    chosen: list[Component],
    config: StackConfig,
    catalog: Catalog,
    refusals: Refusals,
) -> tuple[str, ...]:
    """Names of the managed components that `choice` needs; a need nobody serves is refused."""
    found = [CRDS] if choice.component.crds else []
    for need in choice.component.needs:
        kind = store_of(need)
        if kind is None:
            found += _components(choice, need, chosen, config, catalog, refusals)
        else:
            found += _store(choice, need, kind, config, catalog, refusals)
    return tuple(dict.fromkeys(found))


def wished(component: Component, chosen: list[Component]) -> tuple[str, ...]:
    """Names of the chosen components that serve what `component` uses."""
    return tuple(
        each.name
        for use in component.uses
        for each in chosen
        if use in each.provides and each.name != component.name
    )


def store_of(capability: str) -> StoreName | None:
    """The store that a capability belongs to; None for those of components."""
    return next((name for name in STORES if capability.startswith(f"{name}/")), None)


def _store(
    choice: Choice,
    need: str,
    kind: StoreName,
    config: StackConfig,
    catalog: Catalog,
    refusals: Refusals,
) -> list[str]:
    state, name = store(config, kind).state, engine(config, kind)
    if state == "removed":
        message = f"{choice.component.title} needs it ({need})"
        refusals.add(("stores", kind, "state"), message, "set it to managed or external")
    elif need not in catalog[name].provides:
        message = f"{name} does not provide {need}, which {choice.component.title} needs"
        refusals.add(("stores", kind, "engine"), message)
    elif state == "managed":
        return [name]
    return []


def _components(
    choice: Choice,
    need: str,
    chosen: list[Component],
    config: StackConfig,
    catalog: Catalog,
    refusals: Refusals,
) -> list[str]:
    here = [each.name for each in chosen if need in each.provides and each != choice.component]
    offering = [each.name for each in catalog if need in each.provides and not each.implied]
    outside = any(_external(name, config) for name in offering)
    if not here and not outside:
        message = (
            f"{choice.component.title} needs {need}, which no component of this stack provides"
        )
        refusals.add(choice.path, message, _way_out(offering))
    return here


def _external(name: str, config: StackConfig) -> bool:
    known = dict(config.components.by_name())
    return name in known and known[name].state == "external"


def _way_out(offering: list[str]) -> str:
    if not offering:
        return "no component of this release provides it"
    keys = " or ".join(f"components.{name}.state" for name in offering)
    return f"set {keys} to managed or external"
