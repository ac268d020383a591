"""What every rollout does, forward or back: serve, tell, note, and be the only one."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.client import Observer
from mlops_infra.lifecycle.gateway.core.route import Route, Target
from mlops_infra.lifecycle.lineage.endpoint_history import Chronicle, Step
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.promotion.policy import Decision, Outcome, Policy
from mlops_infra.lifecycle.promotion.publisher import Publisher
from mlops_infra.lifecycle.promotion.routes import Progress, Routing
from mlops_infra.lifecycle.registry.versions import CHAMPION, Registered, Registry
from mlops_infra.lifecycle.serving.kserve import Scaling, Service, Serving, server_name
from mlops_infra.progress import Sink, quiet, step

STAGE_TAG, DECISION_TAG = "mlops-infra.stage", "mlops-infra.promotion"
SETTLE_SECONDS = 2.0
"""In which every gateway has seen a new route and finished what it began by the old one."""
JUDGING = "judging"
"""The first stage; nothing outside of this program was touched in it."""
_LONGEST_TAG = 4000


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rollout works with."""

    registry: Registry
    serving: Serving
    routing: Routing
    publisher: Publisher
    lineage: Lineage
    chronicle: Chronicle
    observer: Observer | None = None
    """None where there is no gateway to ask: then only time passes in a stage."""
    scaling: Scaling = field(default_factory=Scaling)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time


class Acts:
    """What is done to one model of one tenant; every act may be done twice."""

    def __init__(
        self, parts: Parts, policy: Policy, tenant: str, model: str, sink: Sink = quiet
    ) -> None:
        self._parts = parts
        self._policy = policy
        self._tenant = tenant
        self._model = model
        self._sink = sink
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

    def _deploy(self, candidate: Registered) -> Target:
        with step(self._sink, f"Serving {candidate.id}") as shown:
            storage = self._parts.publisher.publish(candidate)
            service = self._service(candidate, storage)
            self._parts.serving.deploy(service)
            address = self._parts.serving.wait(service, self._policy.ready_seconds, self._alive)
            shown.end("done", address.url)
        return Target(
            version=candidate.version,
            url=address.url,
            server=service.name,
            name=address.name,
            inputs=candidate.inputs,
            ranges=candidate.ranges,
        )

    def _ended(
        self, candidate: Registered, progress: Progress, outcome: Outcome, why: str
    ) -> Decision:
        stage = {"first": CHAMPION, "promoted": CHAMPION}.get(outcome, outcome)
        done = replace(progress, stage="ended", outcome=outcome, reason=why)
        decision = self._decision(outcome, candidate, why, progress.numbers)
        self._tell(candidate, done, stage, why)
        self._parts.routing.note(self._tenant, self._model, done)
        return decision

    def _passed(
        self, candidate: Registered, progress: Progress, stage: str, detail: str
    ) -> Progress:
        progress = replace(progress, stage=stage, since=self._parts.clock())
        self._parts.routing.note(self._tenant, self._model, progress)
        self._tell(candidate, progress, stage, detail)
        return progress

    def _tell(self, candidate: Registered, progress: Progress, what: str, detail: str) -> None:
        figures = " ".join(f"{name}={value:g}" for name, value in progress.numbers.items())
        self._parts.registry.tag(
            self._model,
            candidate.version,
            {
                STAGE_TAG: what,
                DECISION_TAG: " ".join(filter(None, (what, detail, figures)))[:_LONGEST_TAG],
            },
        )
        self._parts.chronicle.add(
            Step(
                endpoint=f"{self._tenant}/{self._model}",
                version=candidate.version,
                what=what,
                detail=detail,
                numbers=progress.numbers,
                rollout=progress.id,
            )
        )

    def _decision(
        self, outcome: Outcome, candidate: Registered, why: str, figures: Mapping[str, float]
    ) -> Decision:
        route = self._parts.routing.route(self._tenant, self._model)
        return Decision(
            outcome=outcome,
            tenant=self._tenant,
            model=self._model,
            version=candidate.version,
            champion=route.champion.version if route else None,
            reason=why,
            numbers=dict(figures),
        )

    def _clear(self, keep: set[str | None]) -> None:
        """Take away the servers of all other versions."""
        names = {server_name(self._model, each) for each in keep if each is not None}
        for name in self._parts.serving.deployed(self._tenant, self._model):
            if name not in names:
                self._parts.serving.delete(self._tenant, name)

    def _route(self) -> Route:
        route = self._parts.routing.route(self._tenant, self._model)
        if route is None:
            raise OperationFailed(f"the route of {self._tenant}/{self._model} is gone")
        return route

    def _service(self, candidate: Registered, storage: str) -> Service:
        return Service(
            tenant=self._tenant,
            model=self._model,
            version=candidate.version,
            storage=storage,
            scaling=self._parts.scaling,
        )

    def _fresh(self, candidate: Registered, previous: str | None) -> Progress:
        return Progress(
            id=secrets.token_hex(6),
            version=candidate.version,
            stage=JUDGING,
            since=self._parts.clock(),
            previous=previous,
        )

    def _alive(self) -> None:
        self._parts.routing.keep(self._tenant, self._model, self._holder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._parts.routing.claim(self._tenant, self._model, self._holder)
        try:
            yield
        finally:
            self._parts.routing.release(self._tenant, self._model, self._holder)
