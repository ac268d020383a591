"""What a stack gets from this kit, as the plan's steps hand it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlops_infra.catalog import Component
from mlops_infra.config import StackConfig
from mlops_infra.config.onprem.stores import StoreConfig

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
    """Component to the managed components that are Ready before it."""
    later: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Component to those it works with and cannot wait for, because they wait for it."""

    def __contains__(self, name: object) -> bool:
        return any(choice.component.name == name for choice in self.choices)

    def partners(self, name: str) -> tuple[str, ...]:
        """Every managed component that the component `name` connects to."""
        return (*self.needs.get(name, ()), *self.later.get(name, ()))


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
