"""The loop that looks, claims, starts and follows; any number may run, each may die at any moment.

Everything it knows is in the ledger. A tick does four things, and each can be repeated: let the
triggers look, claim for each model, start what is claimed, see how what was started has ended.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_infra import contract
from mlops_infra.errors import InputError, MlopsError
from mlops_infra.lifecycle.triggers import signals
from mlops_infra.lifecycle.triggers.declared import DataSource, DeclaredModel, RefusedModel
from mlops_infra.lifecycle.triggers.ledger import Claim, Ledger, Look, Outcome
from mlops_infra.lifecycle.triggers.rules import Decision, Signal
from mlops_infra.lifecycle.triggers.signals import Listed, Reading
from mlops_infra.lifecycle.triggers.workflows import Build, Workflows

ABANDONED = datetime.timedelta(hours=12)
"""A claim this old is not carried out: its workflow may have come, ended and been deleted."""
_ENDS: dict[str, Outcome] = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed"}
_log = logging.getLogger("mlops_infra.triggers")

Clock = Callable[[], datetime.datetime]


class Sensors(Protocol):
    """What triggers look at; all raise `MlopsError` where they cannot see."""

    def objects(self, source: DataSource) -> Sequence[Listed]:
        """The objects of a part of a bucket."""

    def reading(self, model: DeclaredModel) -> Reading | None:
        """The latest value of the model's metric."""

    def drift(self, model: DeclaredModel) -> dict[str, Any] | None:
        """The latest result of the drift job."""


@dataclass(slots=True)
class Controller:
    """The triggers of all declared models."""

    models: tuple[DeclaredModel, ...]
    ledger: Ledger
    workflows: Workflows
    build: Build
    sensors: Sensors
    refused: tuple[RefusedModel, ...] = ()
    """Declarations that cannot be used, with the reason."""
    clock: Clock = lambda: datetime.datetime.now(datetime.UTC)
    errors: dict[str, int] = field(default_factory=dict)
    """How often a trigger could not look or a training could not be started, by its name."""
    last_tick: datetime.datetime | None = None

    def model(self, tenant: str, name: str) -> DeclaredModel:
        """A declared model.

        Raises:
            InputError: there is none of that name.
        """
        for model in self.models:
            if (model.tenant, model.name) == (tenant, name):
                return model
        for refused in self.refused:
            if (refused.tenant, refused.name) == (tenant, name):
                raise InputError(
                    f"the declaration of model {refused.id} cannot be used: {refused.reason}",
                    where=f"tenants.{tenant}.models.{name}",
                    hint="mlops-infra check, then up with this release",
                )
        known = ", ".join(model.id for model in self.models) or "none"
        raise InputError(
            f"the model {tenant}/{name} is not declared",
            where=f"declared: {known}",
            hint=f"add it to tenants.{tenant}.models in the stack file, then up",
        )

    def tick(self) -> None:
        """Look, claim, start and follow once; what fails is logged and tried again next time."""
        for model in self.models:
            for trigger, look in self._looks(model):
                self._safely(f"{model.tenant}/{trigger}", self._observe, model, trigger, look)
            self._safely(f"{model.id}/claim", self.claim, model)
        self._safely("start", self.start)
        self._safely("follow", self.follow)
        self.last_tick = self.clock()

    def claim(self, model: DeclaredModel) -> Decision:
        """Claim the event that a training shall answer now, if there is one."""
        decision = self.ledger.claim(model, self.clock())
        if decision.fire is not None:
            _log.info("%s: claimed %s %s", model.id, decision.fire.trigger, decision.fire.key)
        return decision

    def start(self) -> None:
        """Start the training of every open claim, whoever made it."""
        declared = {(model.tenant, model.name): model for model in self.models}
        for claim in self.ledger.open_claims():
            model = declared.get((claim.tenant, claim.model))
            if model is None:
                self.ledger.failed(claim, "the model is no longer declared")
            elif self.clock() - claim.at > ABANDONED:
                self.ledger.failed(claim, f"not started within {ABANDONED}")
            else:
                self._safely(f"{model.id}/start", self._start, model, claim)

    def follow(self) -> None:
        """Record how trainings have ended."""
        for claim in self.ledger.running():
            self._safely(f"{claim.tenant}/{claim.model}/follow", self._follow, claim)

    def ask(self, model: DeclaredModel, signal: Signal) -> Decision:
        """Enter a signal from outside and answer it at once where the rules allow it."""
        self.ledger.offer(model, signal)
        decision = self.claim(model)
        if decision.fire is not None:
            self.start()
        return decision

    def _start(self, model: DeclaredModel, claim: Claim) -> None:
        try:
            made = self.workflows.create(model.namespace, self.build(model, claim))
        except InputError as error:
            self.ledger.failed(claim, str(error))
            raise
        self.ledger.started(claim)
        _log.info("%s: workflow %s %s", model.id, claim.workflow, "made" if made else "was there")

    def _follow(self, claim: Claim) -> None:
        namespace = next(
            (m.namespace for m in self.models if (m.tenant, m.name) == (claim.tenant, claim.model)),
            contract.tenant_namespace(claim.tenant),
        )
        found = self.workflows.status(namespace, claim.workflow)
        if found is None:
            self.ledger.ended(claim, "lost", "the workflow is gone", self.clock())
        elif found[0] in _ENDS:
            self.ledger.ended(claim, _ENDS[found[0]], found[1], self.clock())

    def _observe(self, model: DeclaredModel, trigger: str, look: Look) -> None:
        signal = self.ledger.observe(model, trigger, look)
        if signal is not None:
            _log.info("%s: %s", trigger, signal.cause.get("text"))

    def _looks(self, model: DeclaredModel) -> Iterator[tuple[str, Look]]:
        """What each trigger of the model looks at, seen now and judged under the ledger's lock."""
        now, name = self.clock(), model.name
        if (cron := model.cron) is not None:
            yield (
                f"{name}/schedule",
                lambda mark: signals.schedule(name, cron, model.policy.zone, mark, now),
            )
        if (source := model.data) is not None:
            yield f"{name}/new-data", lambda mark: self._new_data(model, source, mark)
        if (bounds := model.metric) is not None:
            yield (
                f"{name}/metric-drop",
                lambda mark: signals.metric_drop(
                    name, bounds, self.sensors.reading(model), mark, now
                ),
            )
        if model.drift:
            yield (
                f"{name}/drift",
                lambda mark: signals.drift(name, self.sensors.drift(model), mark),
            )

    def _new_data(
        self, model: DeclaredModel, source: DataSource, mark: dict[str, Any] | None
    ) -> signals.Seen:
        return signals.new_data(
            model.name,
            self.sensors.objects(source),
            mark,
            self.clock(),
            settle=source.settle,
            min_objects=source.min_objects,
        )

    def _safely(self, name: str, action: Callable[..., object], *arguments: Any) -> None:
        try:
            action(*arguments)
        except MlopsError as error:
            self.errors[name] = self.errors.get(name, 0) + 1
            _log.warning("%s: %s", name, str(error).replace("\n", ";"))
        except Exception:  # noqa: BLE001 - whatever it is, the other models' triggers must go on
            self.errors[name] = self.errors.get(name, 0) + 1
            _log.exception("%s", name)
