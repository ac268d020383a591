"""Brings a model version from the registry to the traffic, stage by stage, and back.

judged -> deployed -> shadow -> canary-N … -> champion. A version gets traffic only after it has
answered a request through the gateway, and a stage that saw no request asks it again. After every
stage the progress is written in the same step as the route, so a run that was killed anywhere goes
on where it was: every act (apply the object, write the route, move the alias, add the step) may be
done twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.core.route import Route, Target
from mlops_infra.lifecycle.lineage.endpoint_history import Step
from mlops_infra.lifecycle.promotion.claim import Claim
from mlops_infra.lifecycle.promotion.policy import (
    Decision,
    Outcome,
    Policy,
    numbers,
    refusal,
)
from mlops_infra.lifecycle.promotion.routes import JUDGING, Progress
from mlops_infra.lifecycle.promotion.servers import ModelServers
from mlops_infra.lifecycle.promotion.services import RolloutServices
from mlops_infra.lifecycle.promotion.trial import Unanswered
from mlops_infra.lifecycle.promotion.watch import Watch
from mlops_infra.lifecycle.registry.versions import CHALLENGER, CHAMPION, Registered
from mlops_infra.lifecycle.serving.interface import CannotServe
from mlops_infra.progress import Sink, quiet, step

LOOK_SECONDS = 1.0
STAGE_TAG, DECISION_TAG = "mlops-infra.stage", "mlops-infra.promotion"
SETTLE_SECONDS = 2.0
"""In which every gateway has seen a new route and finished what it began by the old one."""
_LONGEST_TAG = 4000


class Rollout:
    """One candidate on its way in one tenant; what it does to the platform may be done twice."""

    def __init__(
        self, parts: RolloutServices, policy: Policy, tenant: str, model: str, sink: Sink = quiet
    ) -> None:
        self._services = parts
        self._policy = policy
        self._tenant = tenant
        self._model = model
        self._sink = sink
        self._claim = Claim(parts.routing, tenant, model)
        self._servers = ModelServers(parts, tenant, model, sink, self._claim.keep)
        self._watch = Watch(parts, policy, tenant, model, sink, self._claim.keep)

    def promote(self, version: str | None = None) -> Decision:
        """Bring `version`, or the newest, to the traffic as far as it deserves.

        Raises:
            OperationFailed: a service fails, or another run moves this model. The same call goes on
                where this one stopped.
        """
        with self._claim.held():
            wanted = version or self._services.registry.latest(self._model)
            candidate = self._services.registry.version(self._model, wanted)
            progress = self._started(candidate)
            if isinstance(progress, Decision):
                return progress
            return self._forward(candidate, progress)

    def roll_back(self) -> Decision:
        """Take a challenger off the traffic, or put the previous champion back.

        Raises:
            InputError: there is nothing to go back to.
        """
        with self._claim.held():
            route = self._services.routing.route(self._tenant, self._model)
            if route is None:
                raise InputError(f"{self._tenant}/{self._model} does not serve")
            progress = self._services.routing.progress(self._tenant, self._model)
            if route.challenger and route.challenger.version == route.champion.version:
                return self._stop_moving(route)
            on_trial = route.champion if route.trial else route.challenger
            if on_trial is not None:
                candidate = self._services.registry.version(self._model, on_trial.version)
                held = progress or self._fresh(candidate, route.champion.version)
                return self._back(candidate, held, "asked for")
            return self._restore(route, progress)

    def _started(self, candidate: Registered) -> Progress | Decision:
        """The progress to go on from, or the decision where there is nothing to do."""
        parts = self._services
        route = parts.routing.route(self._tenant, self._model)
        if route is not None and route.trial:
            route = None  # nobody serves yet
        held = parts.routing.progress(self._tenant, self._model)
        if held is not None and held.under_way:
            if held.version == candidate.version:
                # It may have been killed between the note and the telling.
                self._tell(candidate, held, held.stage, "")
                return held
            raise held.refusal(self._tenant, self._model)
        if route is not None and route.champion.version == candidate.version:
            why = "it is the champion already"
            if route.champion.engine not in ("", parts.engine):
                why += f", by {route.champion.engine}; mlops-infra move changes that"
            return self._decision("unchanged", candidate, why, {})
        return self._judged(candidate, route, held)

    def _judged(
        self, candidate: Registered, route: Route | None, held: Progress | None
    ) -> Progress | Decision:
        parts = self._services
        champion = parts.registry.version(self._model, route.champion.version) if route else None
        progress = self._fresh(candidate, champion.version if champion else None)
        if held is not None:
            again = held.outcome is None and held.version == candidate.version
            same = held.id if again else progress.id
            progress = replace(progress, id=same, fallback=held.fallback)
        with step(self._sink, f"Judging {candidate.id}") as shown:
            progress = replace(progress, numbers=numbers(candidate, champion, self._policy))
            parts.routing.note(self._tenant, self._model, progress)
            why = refusal(candidate, champion, self._policy)
            shown.end("done", why or ("better" if champion else "first version"))
        if why is not None:
            return self._ended(candidate, progress, "refused", why)
        parts.registry.point(self._model, CHALLENGER, candidate.version)
        return self._passed(candidate, progress, "judged", "")

    def _forward(self, candidate: Registered, progress: Progress) -> Decision:
        route = self._services.routing.route(self._tenant, self._model)
        begun = (route.challenger, route.champion) if route else ()
        try:
            target = self._watch.tried(candidate, self._deploy(candidate, *begun))
        except (CannotServe, Unanswered) as error:
            return self._back(candidate, progress, error.what)
        if progress.stage == "champion":
            return self._crown(candidate, progress, target)
        if progress.stage == "judged":
            progress = self._passed(candidate, progress, "deployed", target.server)
        if progress.previous is None:
            return self._crown(candidate, progress, target)
        stages = [("shadow", 0.0, self._policy.shadow_seconds)] + [
            (f"canary-{share}", share / 100, self._policy.canary_seconds)
            for share in self._policy.canary
        ]
        names = [name for name, _, _ in stages]
        first = names.index(progress.stage) if progress.stage in names else 0
        for name, share, seconds in stages[first:]:
            if seconds <= 0:
                continue
            if progress.stage != name:
                progress = self._enter(candidate, progress, target, name, share)
            broken = self._watch.stage(candidate, progress, target, name, seconds)
            if broken is not None:
                return self._back(candidate, progress, broken)
        return self._crown(candidate, progress, target)

    def _enter(
        self, candidate: Registered, progress: Progress, target: Target, name: str, share: float
    ) -> Progress:
        route = self._route()
        progress = replace(progress, stage=name, since=self._services.clock())
        self._services.routing.write(
            replace(route, challenger=target, share=share, shadow=share == 0), progress
        )
        told = f"{share:.0%} of the traffic" if share else "sees the champion's traffic"
        self._tell(candidate, progress, name, told)
        return progress

    def _crown(self, candidate: Registered, progress: Progress, target: Target) -> Decision:
        parts, first = self._services, progress.previous is None
        if progress.stage != "champion":
            progress = replace(progress, stage="champion", since=parts.clock())
        held = parts.routing.route(self._tenant, self._model)
        before = None if held is None or first else self._before(held, candidate)
        route = Route(self._tenant, self._model, target, fallback=before)
        parts.routing.write(route, progress)
        # the first one too: who hears of its promotion asks it at once
        parts.sleep(SETTLE_SECONDS)
        if not first and (broken := self._watch.reign(candidate, progress.since, target)):
            return self._back(candidate, progress, broken)
        parts.registry.point(self._model, CHAMPION, candidate.version)
        parts.registry.point(self._model, CHALLENGER, None)
        parts.lineage.record(candidate.trace(endpoint=f"{self._tenant}/{self._model}"))
        if progress.previous is not None:
            parts.registry.tag(self._model, progress.previous, {STAGE_TAG: "previous"})
        self._servers.clear(keep=[target, before])
        done = replace(progress, fallback=progress.previous)
        return self._ended(candidate, done, "first" if first else "promoted", "")

    @staticmethod
    def _before(held: Route, candidate: Registered) -> Target | None:
        """The champion before; a run that was killed has written it already."""
        same = held.champion.version == candidate.version
        return held.fallback if same else held.champion

    def _back(self, candidate: Registered, progress: Progress, why: str) -> Decision:
        """The champion before, alone again; the candidate's server goes."""
        routing = self._services.routing
        route = routing.route(self._tenant, self._model)
        if route is not None:
            reigns = route.champion.version == candidate.version
            route = replace(route, challenger=None, share=0.0, shadow=False)
            if reigns and route.fallback is not None:
                route = replace(route, champion=route.fallback, fallback=None)
            elif reigns:
                route = None
        if route is not None:
            routing.write(route)
        else:
            routing.withdraw(self._tenant, self._model)
        self._services.registry.point(self._model, CHALLENGER, None)
        self._services.sleep(SETTLE_SECONDS)
        self._servers.clear(keep=[route.champion, route.fallback] if route else [])
        return self._ended(candidate, progress, "rolled-back", why)

    def _stop_moving(self, route: Route) -> Decision:
        """Take a move to another engine back that did not get as far as the traffic."""
        alone = replace(route, challenger=None)
        self._services.routing.write(alone)
        self._services.sleep(SETTLE_SECONDS)
        self._servers.clear(keep=[route.champion, route.fallback])
        served = self._services.registry.version(self._model, route.champion.version)
        return self._decision("rolled-back", served, "the move to another engine", {})

    def _restore(self, route: Route, progress: Progress | None) -> Decision:
        """The champion before the present one serves again."""
        if progress is None or progress.fallback is None:
            raise InputError(
                f"{self._tenant}/{self._model} has no previous champion",
                hint=f"promote one: mlops-infra promote -s STACK -t {self._tenant}"
                f" {self._model}/VERSION",
            )
        previous = self._services.registry.version(self._model, progress.fallback)
        fallen = self._services.registry.version(self._model, route.champion.version)
        fresh = self._fresh(fallen, previous.version)
        target = self._deploy(previous, route.fallback)
        self._services.routing.write(replace(route, champion=target, fallback=None))
        self._services.registry.point(self._model, CHAMPION, previous.version)
        self._services.lineage.record(previous.trace(endpoint=f"{self._tenant}/{self._model}"))
        self._services.sleep(SETTLE_SECONDS)
        self._servers.clear(keep=[target])
        # What was champion is no way back: the next --rollback has nothing to return to.
        return self._ended(fallen, fresh, "rolled-back", "asked for")

    def _deploy(self, candidate: Registered, *known: Target | None) -> Target:
        """Serve it: where one of `known` already does, otherwise by the engine that is chosen."""
        servings = self._services.servings
        begun = [each.engine for each in known if each and each.version == candidate.version]
        there = [engine for engine in begun if engine in servings]
        engine = there[0] if there else self._services.engine
        return self._servers.start(candidate, engine, self._policy.ready_seconds)

    def _ended(
        self, candidate: Registered, progress: Progress, outcome: Outcome, why: str
    ) -> Decision:
        stage = {"first": CHAMPION, "promoted": CHAMPION}.get(outcome, outcome)
        done = replace(progress, stage="ended", outcome=outcome, reason=why)
        decision = self._decision(outcome, candidate, why, progress.numbers)
        self._tell(candidate, done, stage, why)
        self._services.routing.note(self._tenant, self._model, done)
        return decision

    def _passed(
        self, candidate: Registered, progress: Progress, stage: str, detail: str
    ) -> Progress:
        progress = replace(progress, stage=stage, since=self._services.clock())
        self._services.routing.note(self._tenant, self._model, progress)
        self._tell(candidate, progress, stage, detail)
        return progress

    def _tell(self, candidate: Registered, progress: Progress, what: str, detail: str) -> None:
        figures = " ".join(f"{name}={value:g}" for name, value in progress.numbers.items())
        self._services.registry.tag(
            self._model,
            candidate.version,
            {
                STAGE_TAG: what,
                DECISION_TAG: " ".join(filter(None, (what, detail, figures)))[:_LONGEST_TAG],
            },
        )
        self._services.history.add(
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
        route = self._services.routing.route(self._tenant, self._model)
        return Decision(
            outcome=outcome,
            tenant=self._tenant,
            model=self._model,
            version=candidate.version,
            champion=route.champion.version if route else None,
            reason=why,
            numbers=dict(figures),
        )

    def _route(self) -> Route:
        route = self._services.routing.route(self._tenant, self._model)
        if route is None:
            raise OperationFailed(f"the route of {self._tenant}/{self._model} is gone")
        return route

    def _fresh(self, candidate: Registered, previous: str | None) -> Progress:
        return Progress(
            id=secrets.token_hex(6),
            version=candidate.version,
            stage=JUDGING,
            since=self._services.clock(),
            previous=previous,
        )
