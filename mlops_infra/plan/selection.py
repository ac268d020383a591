"""Which components a stack gets from this kit, who serves whose needs, and in which order."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlops_infra.catalog import Catalog, Component
from mlops_infra.config import StackConfig
from mlops_infra.config.stores import StoreConfig
from mlops_infra.plan.refusals import Refusals

StoreName = Literal["object", "sql", "kv"]
STORES: tuple[StoreName, ...] = ("object", "sql", "kv")


@dataclass(frozen=True, slots=True)
class Choice:
    """A component that the file asks for, and the key that asks."""

    component: Component
    path: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Everything to deploy, in order, with the provider of each need."""

    choices: tuple[Choice, ...]
    needs: Mapping[str, tuple[str, ...]]
    """Component to the managed components that it needs."""

    def __contains__(self, name: object) -> bool:
        return any(choice.component.name == name for choice in self.choices)


def store(config: StackConfig, name: StoreName) -> StoreConfig:
    """One of the three stores by name."""
    stores = {"object": config.stores.object, "sql": config.stores.sql, "kv": config.stores.kv}
    return stores[name]


def engine(config: StackConfig, name: StoreName) -> str:
    """The engine of a store."""
    engines = {
        "object": config.stores.object.engine,
        "sql": config.stores.sql.engine,
        "kv": config.stores.kv.engine,
    }
    return engines[name]


def select(config: StackConfig, catalog: Catalog, refusals: Refusals) -> Selection:
    """What is managed, and what it needs; needs that nobody serves are refused."""
    choices = {choice.component.name: choice for choice in _asked_for(config, catalog)}
    needs = {name: _providers(each, config, catalog, refusals) for name, each in choices.items()}
    order = _in_order({name: [n for n in found if n in choices] for name, found in needs.items()})
    return Selection(tuple(choices[name] for name in order), needs)


def _asked_for(config: StackConfig, catalog: Catalog) -> list[Choice]:
    found = []
    for name in STORES:
        if store(config, name).state == "managed":
            component = catalog[engine(config, name)]
            found.append(Choice(component, ("stores", name, "engine"), component.version))
    for title, wanted in config.components.by_name():
        if wanted.state == "managed":
            component = catalog[title]
            version = wanted.version or component.version
            found.append(Choice(component, ("components", title), version))
    return found


def _providers(
    choice: Choice, config: StackConfig, catalog: Catalog, refusals: Refusals
) -> tuple[str, ...]:
    found = []
    for need in choice.component.needs:
        kind = next(name for name in STORES if need.startswith(f"{name}/"))
        state, name = store(config, kind).state, engine(config, kind)
        if state == "removed":
            message = f"{choice.component.title} needs it ({need})"
            refusals.add(("stores", kind, "state"), message, "set it to managed or external")
        elif need not in catalog[name].provides:
            message = f"{name} does not offer {need}, which {choice.component.title} needs"
            refusals.add(("stores", kind, "engine"), message)
        elif state == "managed":
            found.append(name)
    return tuple(found)


def _in_order(needs: Mapping[str, list[str]]) -> list[str]:
    """Needs first; where the needs leave a choice, by name, so that plans compare."""
    waiting = {name: set(found) for name, found in needs.items()}
    ready = [name for name, found in waiting.items() if not found]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        done = heapq.heappop(ready)
        order.append(done)
        for name, left in waiting.items():
            if done in left:
                left.discard(done)
                if not left:
                    heapq.heappush(ready, name)
    return order
