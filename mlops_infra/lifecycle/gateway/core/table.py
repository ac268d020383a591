"""The routes as this process knows them, kept up to date from the key-value store."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.lifecycle.gateway.core.breaker import Breaker
from mlops_infra.lifecycle.gateway.core.fields import Field, fields_of
from mlops_infra.lifecycle.gateway.core.route import PREFIX, REVISION, Route, Target, of_json
from mlops_infra.lifecycle.gateway.core.strict_json import write
from mlops_infra.lifecycle.gateway.core.texts import printable

POLL_SECONDS = 0.25
_log = logging.getLogger(__name__)


class Store(Protocol):
    """Where routes are read from; every method blocks for no longer than its time-out."""

    def get_many(self, keys: list[str]) -> list[str | None]:
        """The values of `keys`."""

    def keys(self, pattern: str) -> list[str]:
        """Keys that match a glob."""


@dataclass(slots=True)
class Experience:
    """What a server is known to answer."""

    sample: bytes | None = None
    """A request that it has answered: it tells a fault of the server from one of a request."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """Name, datatype and shape of its outputs, -1 for the rows."""


@dataclass(frozen=True, slots=True)
class Served:
    """A target made ready for requests."""

    target: Target
    fields: tuple[Field, ...]
    breaker: Breaker
    experience: Experience


@dataclass(frozen=True, slots=True)
class Loaded:
    """A route made ready for requests."""

    route: Route
    champion: Served
    challenger: Served | None
    fallback: Served | None = None

    @property
    def versions(self) -> tuple[str, ...]:
        """Versions that clients may name."""
        both = (self.champion, self.challenger)
        return tuple(dict.fromkeys(each.target.version for each in both if each))

    def named(self, version: str) -> Served | None:
        """The version that a client names; None where it does not serve. Empty: the champion.

        A challenger that is the champion's version on another engine is named by its label.
        """
        if version in ("", self.champion.target.version):
            return self.champion
        other = self.challenger
        known = (other.target.version, other.target.label) if other is not None else ()
        return other if version in known else None


def _nobody(_name: str) -> None:
    """Count nothing."""


@dataclass(slots=True)
class Table:
    """Routes by tenant and model; the last known ones go on serving while the store is away."""

    store: Store
    failed: Callable[[str], None] = _nobody
    """Counts what costs one route or one look."""
    servers: str = ""
    """See `Settings.servers`."""
    revision: str | None = None
    loaded: bool = False
    read_at: float | None = None
    """When the store answered for the last time, by the monotonic clock."""
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
            except Exception as error:  # noqa: BLE001 - no look may end the looking
                self.failed("routes")
                if not told:
                    _log.warning("routes cannot be refreshed: %s", printable(str(error)))
                told = True
            await asyncio.sleep(POLL_SECONDS)

    def refresh(self) -> bool:
        """Read the routes if any changed; whether they did.

        Raises:
            OperationFailed: the store does not answer.
        """
        (revision,) = self.store.get_many([REVISION])
        if self.loaded and revision == self.revision:
            self.read_at = time.monotonic()
            return False
        keys = self.store.keys(f"{PREFIX}*")
        texts = self.store.get_many(keys) if keys else []
        self._take({k: t for k, t in zip(keys, texts, strict=True) if t is not None})
        self.revision, self.loaded, self.read_at = revision, True, time.monotonic()
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
            except Exception as error:  # noqa: BLE001 - of this route alone
                # One unreadable route must not take the others down, nor its own last good one.
                self.failed("route")
                why = error.what if isinstance(error, MlopsError) else repr(error)
                _log.error("route %s: %s", printable(name), printable(why))
                if name in self._routes:
                    routes[name] = self._routes[name]
        self._texts = {name: text for name, text in self._texts.items() if name in routes}
        self._routes = routes
        self._breakers = {
            served.target.url: served.breaker
            for each in routes.values()
            for served in (each.champion, each.challenger, each.fallback)
            if served
        }

    def _ready(self, route: Route) -> Loaded:
        for each in (route.champion, route.challenger, route.fallback):
            if each is not None:
                self._refuse_foreign(each.url, route.tenant)
        return Loaded(
            route=route,
            champion=self._served(route.champion),
            challenger=self._served(route.challenger) if route.challenger else None,
            fallback=self._served(route.fallback) if route.fallback else None,
        )

    def _refuse_foreign(self, url: str, tenant: str) -> None:
        """Stop where a route leads to a server that is not its tenant's.

        Raises:
            OperationFailed: it does.
        """
        ending = re.escape(self.servers.replace("{tenant}", tenant))
        if ending and not re.fullmatch(rf"http://[a-z0-9-]+{ending}(:[0-9]+)?", url):
            raise OperationFailed(f"{url} is not a server of tenant {tenant}")

    def _served(self, target: Target) -> Served:
        breaker = self._breakers.setdefault(target.url, Breaker())
        sample = write(target.sample) if target.sample is not None else None
        return Served(
            target,
            fields_of(target.inputs, target.ranges),
            breaker,
            Experience(sample, target.outputs),
        )
