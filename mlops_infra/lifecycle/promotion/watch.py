"""Watches a candidate: whether it answers, and how it fares with the traffic that it has."""

from __future__ import annotations

from dataclasses import replace

from mlops_infra.lifecycle.gateway.core.route import Route, Target
from mlops_infra.lifecycle.gateway.traffic import TrafficSummary
from mlops_infra.lifecycle.promotion.policy import ENOUGH, Policy, breach
from mlops_infra.lifecycle.promotion.routes import Progress
from mlops_infra.lifecycle.promotion.services import RolloutServices
from mlops_infra.lifecycle.promotion.trial import Unanswered, answered
from mlops_infra.lifecycle.registry.versions import Registered
from mlops_infra.lifecycle.serving.interface import Alive
from mlops_infra.progress import Sink, step

LOOK_SECONDS = 1.0


class Watch:
    """Looks at one candidate through the gateway; `alive` keeps the claim on the model."""

    def __init__(
        self,
        parts: RolloutServices,
        policy: Policy,
        tenant: str,
        model: str,
        sink: Sink,
        alive: Alive,
    ) -> None:
        self._services = parts
        self._policy = policy
        self._tenant = tenant
        self._model = model
        self._sink = sink
        self._alive = alive

    def tried(self, candidate: Registered, target: Target) -> Target:
        """The target with what it has answered; the gateway takes it up without traffic.

        Raises:
            Unanswered: it answers nothing.
        """
        parts = self._services
        if parts.observer is None:
            return target
        route = parts.routing.route(self._tenant, self._model)
        if route is None:
            route = Route(self._tenant, self._model, target, trial=True)
            parts.routing.write(route)
        elif not (target.same_server(route.champion) or target.same_server(route.challenger)):
            route = replace(route, challenger=target, share=0.0, shadow=False)
            parts.routing.write(route)
        with step(self._sink, f"Asking {candidate.id}") as shown:
            self._alive()
            champion = None if route.trial else route.champion
            made = answered(parts.observer, parts.registry, candidate, target, champion)
            shown.end("done", f"it answers with {len(made.outputs)} outputs")
        return made

    def stage(
        self,
        candidate: Registered,
        progress: Progress,
        target: Target,
        name: str,
        seconds: float,
    ) -> str | None:
        """Wait for the stage's end; the guard rail that broke, or None."""
        policy, clock = self._policy, self._services.clock
        with step(self._sink, f"{name} of {candidate.id}") as shown:
            while True:
                seen = self._seen(candidate, progress.since)
                enough = seen.requests >= policy.least_requests
                over = clock() >= progress.since + seconds
                broken = breach(seen, policy, final=over and enough)
                late = clock() >= progress.since + max(seconds, policy.stage_seconds)
                if broken is None and late and not enough:
                    broken = f"only {seen.requests} requests in {policy.stage_seconds:g} s"
                if broken is None and over and enough and not seen.requests:
                    broken = self._silent(candidate, target)
                if broken is not None or (over and enough):
                    shown.end("done", broken or f"{seen.requests} requests, {seen.errors} errors")
                    return broken
                self._alive()
                self._services.sleep(LOOK_SECONDS)

    def _silent(self, candidate: Registered, target: Target) -> str | None:
        """Why a version that nobody has asked cannot go on; None where it answers when asked."""
        try:
            self.tried(candidate, target)
        except Unanswered as error:
            return error.what
        return None

    def _seen(self, candidate: Registered, since: float) -> TrafficSummary:
        if self._services.observer is None:
            return TrafficSummary()
        return self._services.observer.observed(self._tenant, self._model, candidate.version, since)

    def reign(self, candidate: Registered, since: float, target: Target) -> str | None:
        """Why a champion that is new since then cannot stay; None where it can."""
        if self._services.observer is None:
            return None
        until = since + self._policy.champion_seconds
        while True:
            seen = self._seen(candidate, since)
            over = self._services.clock() >= until
            broken = breach(seen, self._policy, final=over)
            if broken is not None or seen.requests >= ENOUGH:
                return broken
            if over:
                return None if seen.requests else self._silent(candidate, target)
            self._alive()
            self._services.sleep(LOOK_SECONDS)
