"""The routes as this process knows them, kept up to date from the key-value store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mlops_infra.errors import MlopsError
from mlops_infra.lifecycle.gateway.core.breaker import Breaker
from mlops_infra.lifecycle.gateway.core.fields import Field, fields_of
from mlops_infra.lifecycle.gateway.core.route import PREFIX, REVISION, Route, Target, of_json

POLL_SECONDS = 0.25
_log = logging.getLogger(__name__)


class Store(Protocol):
    """Where routes are read from; every method blocks for no longer than its time-out."""

    def get_many(self, keys: list[str]) -> list[str | None]:
        """The values of `keys`."""

    def keys(self, pattern: str) -> list[str]:
        """Keys that match a glob."""


@dataclass(frozen=True, slots=True)
class Served:
    """A target made ready for requests."""

    target: Target
    fields: tuple[Field, ...]
    breaker: Breaker


@dataclass(frozen=True, slots=True)
class Loaded:
    """A route made ready for requests."""

    route: Route
    champion: Served
    challenger: Served | None

    def served(self, target: Target) -> Served:
        """The ready form of one of the route's own targets."""
        if self.challenger is not None and target is self.challenger.target:
            return self.challenger
        return self.champion


@dataclass(slots=True)
class Table:
    """Routes by tenant and model; the last known ones go on serving while the store is away."""

    store: Store
    revision: str | None = None
    loaded: bool = False
    _routes: dict[str, Loaded] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    def get(self, tenant: str, model: str) -> Loaded | None:
        """The route of a model; None where there is none."""
        return self._routes.get(f"{tenant}/{model}")

    def all(self) -> Mapping[str, Loaded]:
        """Every route by `tenant/model`."""
        return self._routes

    async def follow(self) -> None:
        """Look for changes for ever; a store that is away is asked again and told once."""
        told = False
        while True:
            try:
                await asyncio.to_thread(self.refresh)
                told = False
            except MlopsError as error:
                if not told:
                    _log.warning("routes cannot be refreshed: %s", error.what)
                told = True
            await asyncio.sleep(POLL_SECONDS)

    def refresh(self) -> bool:
        """Read the routes if any changed; whether they did.

        Raises:
            OperationFailed: the store does not answer.
        """
        (revision,) = self.store.get_many([REVISION])
        if self.loaded and revision == self.revision:
            return False
        keys = self.store.keys(f"{PREFIX}*")
        texts = self.store.get_many(keys) if keys else []
        self._take({k: t for k, t in zip(keys, texts, strict=True) if t is not None})
        self.revision, self.loaded = revision, True
        return True

    def _take(self, texts: Mapping[str, str]) -> None:
        routes = {}
        for key, text in texts.items():
            name = key.removeprefix(PREFIX)
            if self._texts.get(name) == text:
                routes[name] = self._routes[name]
                continue
            try:
                routes[name] = self._ready(of_json(key, text))
                self._texts[name] = text
            except MlopsError as error:
                # One unreadable route must not take the others down, nor its own last good one.
                _log.error("%s", error.what, extra={"key": key})
                if name in self._routes:
                    routes[name] = self._routes[name]
        self._texts = {name: text for name, text in self._texts.items() if name in routes}
        self._routes = routes
        targets = [t for each in routes.values() for t in (each.champion, each.challenger) if t]
        self._breakers = {each.target.url: each.breaker for each in targets}

    def _ready(self, route: Route) -> Loaded:
        return Loaded(
            route=route,
            champion=self._served(route.champion),
            challenger=self._served(route.challenger) if route.challenger else None,
        )

    def _served(self, target: Target) -> Served:
        breaker = self._breakers.setdefault(target.url, Breaker())
        return Served(target, fields_of(target.inputs, target.ranges), breaker)
