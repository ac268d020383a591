"""Starts and stops the servers of one model's versions, on every engine of the stack."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_infra.lifecycle.gateway.core.route import Target
from mlops_infra.lifecycle.promotion.services import RolloutServices
from mlops_infra.lifecycle.registry.versions import Registered
from mlops_infra.lifecycle.serving.interface import Alive, Scaling, Service
from mlops_infra.progress import Sink, step


class ModelServers:
    """The servers of one model; `alive` keeps the claim on it."""

    def __init__(
        self, parts: RolloutServices, tenant: str, model: str, sink: Sink, alive: Alive
    ) -> None:
        self._services = parts
        self._tenant = tenant
        self._model = model
        self._sink = sink
        self._alive = alive

    def start(
        self, candidate: Registered, engine: str, seconds: float, scaling: Scaling | None = None
    ) -> Target:
        """Serve a version, or wait for the server that it has; there is no traffic yet.

        Args:
            candidate: the version.
            engine: what serves it.
            seconds: time limit for the start.
            scaling: how many Pods, where it is not what the run asks for.

        Raises:
            CannotServe: it does not start.
        """
        with step(self._sink, f"Serving {candidate.id} by {engine}") as shown:
            service = Service(
                tenant=self._tenant,
                model=self._model,
                version=candidate.version,
                storage=self._services.publisher.publish(candidate),
                scaling=scaling or self._services.scaling,
            )
            serving = self._services.servings[engine]
            serving.deploy(service)
            address = serving.wait(service, seconds, self._alive)
            shown.end("done", address.url)
        return Target(
            version=candidate.version,
            url=address.url,
            server=service.name,
            name=address.name,
            engine=engine,
            inputs=candidate.inputs,
            ranges=candidate.ranges,
        )

    def clear(self, keep: Iterable[Target | None]) -> None:
        """Take away all servers but those of `keep`."""
        kept = [each for each in keep if each is not None]
        for engine, serving in self._services.servings.items():
            # routes of older releases do not name the engine
            names = {each.server for each in kept if each.engine in ("", engine)}
            for name in serving.deployed(self._tenant, self._model):
                if name not in names:
                    serving.delete(self._tenant, name)
