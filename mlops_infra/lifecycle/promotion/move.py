"""Moves a model that serves to another engine: the same version and URL, no gap in its answers.

The new server starts, answers a real request through the gateway, and takes the traffic while the
old one stands by; then the old one goes. The former champion, which answers what the champion fails
on, moves too. Every act may be done twice: the next run finishes what a killed one began.
"""

from __future__ import annotations

from dataclasses import replace

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.core.route import Route, Target
from mlops_infra.lifecycle.lineage.endpoint_history import Step
from mlops_infra.lifecycle.promotion.claim import Claim
from mlops_infra.lifecycle.promotion.policy import Decision, Outcome, Policy
from mlops_infra.lifecycle.promotion.rollout import SETTLE_SECONDS
from mlops_infra.lifecycle.promotion.routes import Progress
from mlops_infra.lifecycle.promotion.servers import ModelServers
from mlops_infra.lifecycle.promotion.services import RolloutServices
from mlops_infra.lifecycle.promotion.trial import Unanswered
from mlops_infra.lifecycle.promotion.watch import Watch
from mlops_infra.lifecycle.serving.interface import CannotServe
from mlops_infra.progress import Sink, quiet


class Move:
    """The move of one model to the engine of `parts`."""

    def __init__(
        self, parts: RolloutServices, policy: Policy, tenant: str, model: str, sink: Sink = quiet
    ) -> None:
        self._services = parts
        self._policy = policy
        self._tenant = tenant
        self._model = model
        self._claim = Claim(parts.routing, tenant, model)
        self._servers = ModelServers(parts, tenant, model, sink, self._claim.keep)
        self._watch = Watch(parts, policy, tenant, model, sink, self._claim.keep)

    def run(self) -> Decision:
        """Move it; `rolled-back` where the other engine does not serve it.

        Raises:
            InputError: the model does not serve.
            OperationFailed: a rollout of it is under way, or a service fails.
        """
        with self._claim.held():
            route, progress = self._movable()
            engine, both = self._services.engine, (route.champion, route.fallback)
            if route.challenger is None and all(t is None or t.engine == engine for t in both):
                self._servers.clear(keep=both)
                return self._decision("unchanged", route, f"{engine} serves it already")
            try:
                champion = self._champion(route)
            except (CannotServe, Unanswered, _Fails) as error:
                return self._back(route, error.what)
            stood_by = progress.fallback if progress and route.fallback else None
            stand_by, remark = self._former(stood_by)
            self._write(replace(route, champion=champion, fallback=stand_by))
            self._services.sleep(SETTLE_SECONDS)
            self._servers.clear(keep=[champion, stand_by])
            self._tell(champion, remark)
            return self._decision("moved", route, remark)

    def _movable(self) -> tuple[Route, Progress | None]:
        route = self._services.routing.route(self._tenant, self._model)
        if route is None or route.trial:
            raise InputError(f"{self._tenant}/{self._model} does not serve")
        progress = self._services.routing.progress(self._tenant, self._model)
        if progress is not None and progress.under_way:
            raise progress.refusal(self._tenant, self._model)
        return route, progress

    def _champion(self, route: Route) -> Target:
        """The champion's server on the engine, with all the traffic, proven there."""
        old, engine = route.champion, self._services.engine
        if old.engine != engine:
            new = self._tried(old.version, old)
            route = replace(route, champion=new, fallback=old)
            self._write(route)
        moving = route.fallback is not None and route.fallback.version == route.champion.version
        if moving:  # by this run, or by one that was killed
            self._services.sleep(SETTLE_SECONDS)
            version = self._services.registry.version(self._model, old.version)
            since = self._services.clock()
            if broken := self._watch.reign(version, since, route.champion):
                raise _Fails(broken)
        return route.champion

    def _former(self, version: str | None) -> tuple[Target | None, str]:
        """The former champion on the engine, and why there is none any more."""
        if version is None:
            return None, ""
        try:
            return self._tried(version, None), ""
        except (CannotServe, Unanswered) as error:
            return None, f"the former champion {version} does not stand by any more: {error.what}"

    def _tried(self, version: str, old: Target | None) -> Target:
        """A version served by the engine, as large as now, which has answered a request."""
        parts = self._services
        candidate = parts.registry.version(self._model, version)
        serving = parts.servings.get(old.engine) if old else None
        scaling = serving.scaling(self._tenant, old.server) if serving and old else None
        made = self._servers.start(candidate, parts.engine, self._policy.ready_seconds, scaling)
        return self._watch.tried(candidate, made)

    def _back(self, before: Route, why: str) -> Decision:
        """The server that served before, alone again."""
        now = self._services.routing.route(self._tenant, self._model) or before
        if now.champion.engine == self._services.engine and now.fallback is not None:
            others = before.fallback if before.champion.same_server(now.fallback) else None
            now = replace(now, champion=now.fallback, fallback=others)
        self._write(now)
        self._services.sleep(SETTLE_SECONDS)
        self._servers.clear(keep=[now.champion, now.fallback])
        return self._decision("rolled-back", now, why)

    def _write(self, route: Route) -> None:
        self._services.routing.write(replace(route, challenger=None, share=0.0, shadow=False))

    def _tell(self, champion: Target, remark: str) -> None:
        self._services.history.add(
            Step(
                endpoint=f"{self._tenant}/{self._model}",
                version=champion.version,
                what="moved",
                detail="; ".join(filter(None, (f"to {champion.engine}", remark))),
            )
        )

    def _decision(self, outcome: Outcome, route: Route, why: str) -> Decision:
        version = route.champion.version
        return Decision(outcome, self._tenant, self._model, version, version, why, {})


class _Fails(OperationFailed):
    """The new server does not keep up with the traffic."""
