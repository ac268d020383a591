"""What the steps of the tour are made of: one run, one promotion, some traffic."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import FoundError, InputError, MlopsError
from mlops_infra.lifecycle.data.feature_server import FeatureServer
from mlops_infra.lifecycle.gateway.client import GatewayClient
from mlops_infra.lifecycle.pipeline.definition.model import Value
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.submission.argo_run import RunEnd, failure, wait
from mlops_infra.lifecycle.pipeline.submission.commits import commit_here
from mlops_infra.lifecycle.pipeline.submission.runs import new_run
from mlops_infra.lifecycle.pipeline.submission.submit import metrics_of, submit
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
from mlops_infra.lifecycle.promotion.access import Access
from mlops_infra.lifecycle.promotion.policy import Decision, Policy
from mlops_infra.lifecycle.promotion.rollout import Rollout
from mlops_infra.lifecycle.triggers.client import TriggerClient
from mlops_infra.lifecycle.verify.cron_jobs import JobRuns
from mlops_infra.lifecycle.verify.tour_data import DATA, request, some
from mlops_infra.progress import quiet

if TYPE_CHECKING:
    import pandas as pd

PIPELINE = "tabular-classification"
RUN_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Doors:
    """What the tour works with; None where the platform does not offer it."""

    access: Access
    tenancy: Tenancy
    features: FeatureServer | None
    triggers: TriggerClient
    jobs: JobRuns
    model: str
    """A model that the tenant declares, with drift, retraining and a batch job."""
    batch_job: str
    """Name of that job's CronJob, in namespace `lifecycle`."""
    drift_job: str
    batch_source: str
    """Prefix in the tenant's bucket that the batch job scores."""
    materialize_job: tuple[str, str] | None
    """Namespace and name of the feature store's CronJob."""


class Acts:
    """The parts of a tour that several steps share."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._id = secrets.token_hex(4)
        self._versions: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._prediction = ""
        self._events = 0
        self.champion: str | None = None

    def _trained(self, name: str, hyper: str) -> str:
        end = self._run(data=DATA, hyperparameters=hyper, model=self._doors.model)
        if not end.good:
            raise failure(self._doors.tenancy.workflows(), end)
        self._runs[name] = end.run
        self._versions[name] = self._doors.access.registry.latest(self._doors.model)
        metrics = metrics_of(standard(PIPELINE), self._doors.tenancy, end.run)
        told = f"{self._doors.model}/{self._versions[name]}"
        return f"{told}: accuracy {metrics['accuracy']:.3f}, run {end.run}"

    def _run(self, **values: Value) -> RunEnd:
        doors, run = self._doors, new_run(PIPELINE)
        pipeline = replace(standard(PIPELINE), asked_from=commit_here())
        filled = {each.name: each.default for each in pipeline.parameters}
        submitted = submit(pipeline, {**filled, **values, "promote": False}, doors.tenancy, run=run)
        workflows = doors.tenancy.workflows()
        return wait(workflows, submitted.namespace, run, quiet, timeout=RUN_SECONDS)

    def _promoted(self, name: str, outcome: str) -> str:
        decision = self._rollout().promote(self._versions[name])
        if decision.outcome != outcome:
            raise FoundError(f"{name} model: {decision.outcome}, {decision.reason}")
        self._gateway().follows(self._doors.model, self._versions[name], 30)
        self.champion = f"{self._doors.model}/{self._versions[name]}"
        return _told(decision)

    def _rollout(self) -> Rollout:
        policy = Policy(shadow_seconds=5, canary=(50,), canary_seconds=5)
        access = self._doors.access
        return Rollout(access.parts(), policy, access.tenant, self._doors.model, quiet)

    def _gateway(self) -> GatewayClient:
        gateway = self._doors.access.gateway
        if gateway is None:
            raise InputError("the platform has no model gateway")
        return gateway

    def _local(self, version: str, wines: pd.DataFrame) -> list[Any]:
        registry = self._doors.access.registry
        found = registry.predict(registry.version(self._doors.model, version), wines)
        return list(found.tolist())

    @contextmanager
    def _traffic(self) -> Iterator[list[str]]:
        """Somebody asks all the time; what went wrong is in the list."""
        errors: list[str] = []
        over = threading.Event()
        gateway = self._gateway()

        def ask() -> None:
            while not over.wait(0.1):
                try:
                    gateway.infer(self._doors.model, request(some(8)))
                except MlopsError as error:
                    errors.append(error.what)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        try:
            yield errors
        finally:
            over.set()
            thread.join()

    def _fired(self) -> list[dict[str, Any]]:
        """Events of this tour that started a training, not those that it answered meanwhile."""
        doors = self._doors
        found = doors.triggers.events(doors.access.tenant, doors.model)
        return [each for each in found[: len(found) - self._events] if each["fired"]]

    def _put(self, key: str, body: bytes) -> None:
        self._doors.access.objects.put(key, body)


def _told(decision: Decision) -> str:
    figures: Mapping[str, float] = decision.numbers
    numbers = " ".join(f"{name} {value:.3f}" for name, value in figures.items())
    return f"champion {decision.model}/{decision.champion} ({numbers})"
