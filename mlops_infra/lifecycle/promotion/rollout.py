"""Brings a model version from the registry to the traffic, stage by stage, and back.

judged -> deployed -> shadow -> canary-N … -> champion. After every stage the progress is written in
the same step as the route, so a run that was killed anywhere goes on where it was: every act (apply
the object, write the route, move the alias, add the step) may be done twice.
"""

from __future__ import annotations

from dataclasses import replace

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.core.route import Route, Target
from mlops_infra.lifecycle.promotion.policy import Decision, Observed, breach, numbers, refusal
from mlops_infra.lifecycle.promotion.rollout_base import JUDGING, SETTLE_SECONDS, STAGE_TAG, Acts
from mlops_infra.lifecycle.promotion.routes import Progress
from mlops_infra.lifecycle.registry.versions import CHALLENGER, CHAMPION, Registered
from mlops_infra.lifecycle.serving.kserve import CannotServe, server_name
from mlops_infra.progress import step

LOOK_SECONDS = 1.0


class Rollout(Acts):
    """One candidate on its way in one tenant."""

    def promote(self, version: str | None = None) -> Decision:
        """Bring `version`, or the newest, to the traffic as far as it deserves.

        Raises:
            OperationFailed: a service fails, or another run moves this model. The same call goes on
                where this one stopped.
        """
        with self._alone():
            wanted = version or self._parts.registry.latest(self._model)
            candidate = self._parts.registry.version(self._model, wanted)
            progress = self._started(candidate)
            if isinstance(progress, Decision):
                return progress
            return self._forward(candidate, progress)

    def roll_back(self) -> Decision:
        """Take a challenger off the traffic, or put the previous champion back.

        Raises:
            InputError: there is nothing to go back to.
        """
        with self._alone():
            route = self._parts.routing.route(self._tenant, self._model)
            if route is None:
                raise InputError(f"{self._tenant}/{self._model} does not serve")
            progress = self._parts.routing.progress(self._tenant, self._model)
            if route.challenger is not None:
                candidate = self._parts.registry.version(self._model, route.challenger.version)
                held = progress or self._fresh(candidate, route.champion.version)
                return self._back(candidate, held, "asked for")
            return self._restore(route, progress)

    def _started(self, candidate: Registered) -> Progress | Decision:
        """The progress to go on from, or the decision where there is nothing to do."""
        parts = self._parts
        route = parts.routing.route(self._tenant, self._model)
        held = parts.routing.progress(self._tenant, self._model)
        under_way = held is not None and held.outcome is None and held.stage != JUDGING
        if held is not None and under_way:
            if held.version == candidate.version:
                # It may have been killed between the note and the telling.
                self._tell(candidate, held, held.stage, "")
                return held
            raise OperationFailed(
                f"version {held.version} is at stage {held.stage}",
                where=f"{self._tenant}/{self._model}",
                hint=f"finish it: mlops-infra promote … {self._model}/{held.version},"
                " or roll it back with --rollback",
            )
        if route is not None and route.champion.version == candidate.version:
            return self._decision("unchanged", candidate, "it is the champion already", {})
        return self._judged(candidate, route, held)

    def _judged(
        self, candidate: Registered, route: Route | None, held: Progress | None
    ) -> Progress | Decision:
        parts = self._parts
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
        try:
            target = self._deploy(candidate)
        except CannotServe as error:
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
            broken = self._watched(candidate, progress, name, seconds)
            if broken is not None:
                return self._back(candidate, progress, broken)
        return self._crown(candidate, progress, target)

    def _enter(
        self, candidate: Registered, progress: Progress, target: Target, name: str, share: float
    ) -> Progress:
        route = self._route()
        progress = replace(progress, stage=name, since=self._parts.clock())
        self._parts.routing.write(
            replace(route, challenger=target, share=share, shadow=share == 0), progress
        )
        told = f"{share:.0%} of the traffic" if share else "sees the champion's traffic"
        self._tell(candidate, progress, name, told)
        return progress

    def _watched(
        self, candidate: Registered, progress: Progress, name: str, seconds: float
    ) -> str | None:
        """Wait for the stage's end; the guard rail that broke, or None."""
        policy, clock = self._policy, self._parts.clock
        with step(self._sink, f"{name} of {candidate.id}") as shown:
            while True:
                seen = self._seen(candidate, progress)
                enough = seen.requests >= policy.least_requests
                over = clock() >= progress.since + seconds
                broken = breach(seen, policy, final=over and enough)
                late = clock() >= progress.since + max(seconds, policy.stage_seconds)
                if broken is None and late and not enough:
                    broken = f"only {seen.requests} requests in {policy.stage_seconds:g} s"
                if broken is not None or (over and enough):
                    shown.end("done", broken or f"{seen.requests} requests, {seen.errors} errors")
                    return broken
                self._alive()
                self._parts.sleep(LOOK_SECONDS)

    def _seen(self, candidate: Registered, progress: Progress) -> Observed:
        if self._parts.observer is None:
            return Observed()
        return self._parts.observer.observed(
            self._tenant, self._model, candidate.version, progress.since
        )

    def _crown(self, candidate: Registered, progress: Progress, target: Target) -> Decision:
        parts, first = self._parts, progress.previous is None
        route = Route(tenant=self._tenant, model=self._model, champion=target)
        parts.routing.write(route, replace(progress, stage="champion"))
        parts.registry.point(self._model, CHAMPION, candidate.version)
        parts.registry.point(self._model, CHALLENGER, None)
        parts.lineage.record(candidate.trace(endpoint=f"{self._tenant}/{self._model}"))
        if progress.previous is not None:
            parts.registry.tag(self._model, progress.previous, {STAGE_TAG: "previous"})
        if not first:
            parts.sleep(SETTLE_SECONDS)
        self._clear(keep={candidate.version, progress.previous})
        done = replace(progress, fallback=progress.previous)
        return self._ended(candidate, done, "first" if first else "promoted", "")

    def _back(self, candidate: Registered, progress: Progress, why: str) -> Decision:
        """Champion alone again; the candidate's server goes."""
        route = self._parts.routing.route(self._tenant, self._model)
        if route is not None:
            self._parts.routing.write(replace(route, challenger=None, share=0.0, shadow=False))
        self._parts.registry.point(self._model, CHALLENGER, None)
        self._parts.sleep(SETTLE_SECONDS)
        self._parts.serving.delete(self._tenant, server_name(self._model, candidate.version))
        return self._ended(candidate, progress, "rolled-back", why)

    def _restore(self, route: Route, progress: Progress | None) -> Decision:
        """The champion before the present one serves again."""
        if progress is None or progress.fallback is None:
            raise InputError(
                f"{self._tenant}/{self._model} has no previous champion",
                hint=f"promote one: mlops-infra promote … {self._model}/VERSION",
            )
        previous = self._parts.registry.version(self._model, progress.fallback)
        fallen = self._parts.registry.version(self._model, route.champion.version)
        fresh = self._fresh(fallen, previous.version)
        target = self._deploy(previous)
        self._parts.routing.write(replace(route, champion=target))
        self._parts.registry.point(self._model, CHAMPION, previous.version)
        self._parts.lineage.record(previous.trace(endpoint=f"{self._tenant}/{self._model}"))
        self._parts.sleep(SETTLE_SECONDS)
        self._clear(keep={previous.version})
        # What was champion is no way back: the next --rollback has nothing to return to.
        return self._ended(fallen, fresh, "rolled-back", "asked for")
