"""Fakes of what a rollout acts on: memory only, and a power cut at any act."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.traffic import Reply, TrafficSummary
from mlops_infra.lifecycle.lineage.endpoint_history import EndpointHistory
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.promotion.routes import Routing
from mlops_infra.lifecycle.promotion.services import RolloutServices
from mlops_infra.lifecycle.registry.versions import Registered
from mlops_infra.lifecycle.serving.interface import (
    Address,
    Alive,
    CannotServe,
    Scaling,
    Service,
    server_name,
)


class PowerCut(BaseException):
    """Ends a run as kill -9 would: nothing of ours catches it."""


class Fuse:
    """Counts acts and cuts the power before one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.acts = 0
        self.at = at

    def act(self) -> None:
        self.acts += 1
        if self.at is not None and self.acts > self.at:
            raise PowerCut


class FakeStore:
    """A key-value store in memory; every change is one act."""

    def __init__(self, fuse: Fuse | None = None, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.clock = clock
        self.counted_at = 0.0
        """When a counter has changed last, which is what gateways look at."""
        self.held: dict[str, str] = {}
        self.sets: dict[str, set[str]] = {}
        self.leases: dict[str, str] = {}
        self.fuse = fuse or Fuse()

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        return [self.held.get(key) for key in keys]

    def members(self, keys: Sequence[str]) -> list[frozenset[str]]:
        return [frozenset(self.sets.get(key, ())) for key in keys]

    def keys(self, pattern: str) -> list[str]:
        return sorted(key for key in self.held if key.startswith(pattern.rstrip("*")))

    def set_all_if_absent(self, values: Mapping[str, str]) -> bool:
        if any(key in self.held for key in values):
            return False
        self.held.update(values)
        return True

    def write_once(
        self, values: Mapping[str, str], members: Sequence[tuple[str, str]] = ()
    ) -> list[str]:
        clashes = [k for k, v in values.items() if self.held.get(k, v) != v]
        if not clashes:
            self.fuse.act()
            self.held.update(values)
            for key, member in members:
                self.sets.setdefault(key, set()).add(member)
        return clashes

    def put(self, values: Mapping[str, str], *, count: str | None = None) -> None:
        self.fuse.act()
        self.held.update(values)
        self._count(count)

    def drop(self, keys: Sequence[str], *, count: str | None = None) -> None:
        self.fuse.act()
        for key in keys:
            self.held.pop(key, None)
        self._count(count)

    def _count(self, counter: str | None) -> None:
        if counter is not None:
            self.held[counter] = str(int(self.held.get(counter, "0")) + 1)
            self.counted_at = self.clock()

    def delete(self, keys: Sequence[str]) -> int:
        return sum(self.held.pop(key, None) is not None for key in keys)

    def claim(self, key: str, holder: str, *, seconds: float) -> str | None:
        other = self.leases.setdefault(key, holder)
        return None if other == holder else other

    def extend(self, key: str, holder: str, *, seconds: float) -> bool:
        return self.leases.get(key) == holder

    def release(self, key: str, holder: str) -> None:
        if self.leases.get(key) == holder:
            del self.leases[key]


class FakeModels:
    """A registry in memory."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.versions: dict[str, Registered] = {}
        self.aliases: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.fuse = fuse or Fuse()

    def add(self, version: str, accuracy: float, **more: float) -> Registered:
        made = Registered(
            name="wine",
            version=version,
            tracking_run=f"run{version}",
            metrics={"accuracy": accuracy, **more},
            tags={"mlops-infra.pipeline_run": f"pipeline{version}"},
            inputs=({"name": "hour", "type": "long", "required": True},),
            ranges={"hour": {"min": 0, "max": 23}},
        )
        self.versions[version] = made
        return made

    def latest(self, name: str) -> str:
        return max(self.versions, key=int)

    def version(self, name: str, version: str) -> Registered:
        return self.versions[version]

    def example(self, registered: Registered) -> Any:
        return None

    def alias(self, name: str, alias: str) -> str | None:
        return self.aliases.get(alias)

    def point(self, name: str, alias: str, version: str | None) -> None:
        self.fuse.act()
        if version is None:
            self.aliases.pop(alias, None)
        else:
            self.aliases[alias] = version

    def tag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        self.fuse.act()
        self.tags.setdefault(version, {}).update(tags)

    def download(self, registered: Registered, folder: Path) -> None:
        (folder / "MLmodel").write_text(registered.id)


class FakeServing:
    """A cluster in memory; `broken` versions never start."""

    def __init__(self, fuse: Fuse | None = None, host: str = "") -> None:
        self.host = host
        self.running: dict[str, Service] = {}
        self.broken: set[str] = set()
        self.fuse = fuse or Fuse()

    def deploy(self, service: Service) -> None:
        self.fuse.act()
        self.running[service.name] = service

    def wait(self, service: Service, seconds: float, alive: Alive) -> Address:
        alive()
        if service.version in self.broken:
            raise CannotServe(f"{service.name} cannot start: no such model")
        return Address(f"http://{service.name}{self.host}", service.name)

    def scaling(self, tenant: str, name: str) -> Scaling | None:
        found = self.running.get(name)
        return found.scaling if found else None

    def delete(self, tenant: str, name: str) -> bool:
        self.fuse.act()
        return self.running.pop(name, None) is not None

    def deployed(self, tenant: str, model: str) -> list[str]:
        prefix = server_name(model, "0").removesuffix("0")
        return sorted(name for name in self.running if name.startswith(prefix))


OUTPUTS = ({"name": "y", "datatype": "INT64", "shape": [-1]},)


class FakeObserver:
    """Tells what it was told to tell."""

    def __init__(self, tell: Callable[[str], TrafficSummary] | None = None) -> None:
        self.tell = tell or (lambda _version: TrafficSummary(requests=50, p99_ms=5.0))
        self.dead = False
        self.reply = lambda _version, _request: Reply(outputs=OUTPUTS)
        self.asked_of: list[tuple[str, Any]] = []

    def asked(self, model: str, version: str, request: Mapping[str, Any]) -> Reply:
        self.asked_of.append((version, request))
        return self.reply(version, request)

    def observed(self, tenant: str, model: str, version: str, since: float) -> TrafficSummary:
        if self.dead:
            raise OperationFailed("the gateway does not answer")
        return self.tell(version)


class World:
    """One tenant with everything, and a clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.fuse = Fuse()
        self.now = 1000.0
        self.store = FakeStore(self.fuse, lambda: self.now)
        self.models = FakeModels(self.fuse)
        self.serving = FakeServing(self.fuse)
        self.seldon = FakeServing(self.fuse, ".seldon")
        self.observer = FakeObserver()

    def parts(self, engine: str = "kserve") -> RolloutServices:
        return RolloutServices(
            registry=self.models,
            engine=engine,
            servings={"kserve": self.serving, "seldon-core": self.seldon},
            routing=Routing(self.store),
            publisher=self,
            lineage=Lineage(self.store),
            history=EndpointHistory(self.store),
            observer=self.observer,
            sleep=self.sleep,
            clock=lambda: self.now,
        )

    def publish(self, registered: Registered) -> str:
        return f"s3://tenant-demo/{registered.id}"

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def route(self) -> Any:
        return Routing(self.store).route("demo", "wine")

    def steps(self) -> list[str]:
        return [f"{s.version}:{s.what}" for s in EndpointHistory(self.store).of("demo/wine")]
