"""Goes around the whole lifecycle of one declared model of a tenant, in the cluster's own Pods.

data checked -> features -> pipeline -> registry -> promotion -> prediction -> better model by
canary -> worse model refused -> drift -> trained again, once -> bulk scores, once -> lineage ->
replay.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import FoundError, InputError, MlopsError, OperationFailed
from mlops_infra.lifecycle.data.feature_server import DEMO_VIEW, FeatureServer
from mlops_infra.lifecycle.gateway.client import GatewayClient
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.pipeline.definition.model import Value
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.submission.argo_run import failure, wait
from mlops_infra.lifecycle.pipeline.submission.commits import commit_here
from mlops_infra.lifecycle.pipeline.submission.following import RunEnd
from mlops_infra.lifecycle.pipeline.submission.runs import new_run
from mlops_infra.lifecycle.pipeline.submission.submit import metrics_of, submit
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
from mlops_infra.lifecycle.promotion.access import Access
from mlops_infra.lifecycle.promotion.policy import Decision, Policy
from mlops_infra.lifecycle.promotion.rollout import Rollout
from mlops_infra.lifecycle.triggers.client import TriggerClient
from mlops_infra.lifecycle.verify.checks import Check, Skipped
from mlops_infra.lifecycle.verify.cron_jobs import JobRuns
from mlops_infra.lifecycle.verify.replay import InTenantPod, replay
from mlops_infra.lifecycle.verify.tour_data import (
    BETTER,
    DATA,
    POOR,
    WORSE,
    csv,
    hours,
    request,
    rows,
    some,
)
from mlops_infra.progress import quiet

PIPELINE = "tabular-classification"
RUN_SECONDS = 600.0
ENDED = ("succeeded", "failed", "lost")
RETRAIN_SECONDS = 600.0
ASKED = 20
"""Shifted requests of 100 rows: more than the ordinary ones before them."""
FEATURES = (f"{DEMO_VIEW}:temperature", f"{DEMO_VIEW}:vibration")
ENTITIES = {"machine_id": [1, 2, 3]}
LOGGED_SECONDS = 3.0
"""In which the gateway has written its last requests to the database."""
TICK_SECONDS = 20.0
"""Longer than the trigger controller waits between two looks."""
_SIX = ("pipeline_run", "tracking_run", "data", "model", "endpoint", "commit")


@dataclass(frozen=True, slots=True)
class TourClients:
    """What the tour works with; None where the platform does not offer it."""

    access: Access
    tenancy: Tenancy
    features: FeatureServer | None
    triggers: TriggerClient
    jobs: JobRuns
    model: str
    """A model that the tenant declares, with drift, retraining and a batch job."""
    batch_job: str
    """Name of that job's CronJob, in the tenant's namespace."""
    drift_job: str
    batch_source: str
    """Prefix in the tenant's bucket that the batch job scores."""
    materialize_job: tuple[str, str] | None
    """Namespace and name of the feature store's CronJob."""


class Tour:
    """One time around; each method is one step and returns what a person wants to know."""

    def __init__(self, clients: TourClients) -> None:
        self._clients = clients
        self._id = secrets.token_hex(4)
        self._versions: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._prediction = ""
        self._events = 0
        self.champion: str | None = None

    def afresh(self) -> str:
        """Take away what an earlier tour left serving."""
        clients = self._clients
        parts = clients.access.parts(clients.model)
        tenant = clients.access.tenant
        parts.routing.withdraw(tenant, clients.model)
        gone = [
            name for serving in parts.servings.values()
            for name in serving.deployed(tenant, clients.model)
            if serving.delete(tenant, name)
        ]  # fmt: skip
        self._events = len(clients.triggers.events(tenant, clients.model))
        return f"{tenant}/{clients.model}: {len(gone)} earlier servers removed"

    def bad_data(self) -> str:
        """A table with an impossible hour must not reach the training."""
        from mlops_infra.lifecycle.validation import infer

        good, bad = hours()
        folder = f"verify/{self._id}"
        self._put(f"{folder}/schema.json", infer(good, slack=0.0).to_json().encode())
        self._put(f"{folder}/bad.csv", csv(bad))
        end = self._run(
            data=f"s3:///{folder}/bad.csv", schema=f"s3:///{folder}/schema.json", model="verify-bad"
        )
        bad_step = end.failed
        if bad_step is None or bad_step.name != "validate":
            raise OperationFailed("a table with hour 77 passed the validation")
        told = failure(self._clients.tenancy.workflows(), end).what
        if "77" not in told:
            raise OperationFailed(f"the validation failed for another reason: {told}")
        return "a table with hour 77 stopped at step validate"

    def online_features(self) -> str | Skipped:
        """Bring features into the online store; they are those that training reads."""
        clients = self._clients
        if clients.features is None or clients.materialize_job is None:
            return Skipped("the platform has no feature store")
        clients.jobs.run(*clients.materialize_job)
        return clients.features.parity(FEATURES, ENTITIES)

    def train_first(self) -> str:
        """Train and register a model that leaves room for a better one."""
        return self._trained("first", POOR)

    def serve_first(self) -> str:
        """The first model of an endpoint serves at once."""
        return self._promoted("first", "first")

    def predict(self) -> str:
        """Ten rows get ten answers over HTTP; the last step compares them with the model's own."""
        answer = self._gateway().infer(self._clients.model, request(rows(10)))
        self._prediction = str(answer["id"])
        told = list(answer["outputs"][0]["data"])
        if len(told) != 10:
            raise OperationFailed(f"the endpoint answers {told} for 10 rows")
        return f"{len(told)} answers, prediction {self._prediction}"

    def refuse_input(self) -> str:
        """A request that breaks the model's signature is refused with the field and the reason."""
        wrong = request(rows(1))
        wrong["inputs"][0] |= {"data": ["much"], "datatype": "BYTES"}
        try:
            self._gateway().infer(self._clients.model, wrong)
        except InputError as error:
            if wrong["inputs"][0]["name"] not in error.what:
                raise OperationFailed(f"it does not name the field: {error.what}") from error
            return error.what
        raise OperationFailed("a text was accepted as a number")

    def train_better(self) -> str:
        """Train a better model."""
        return self._trained("better", BETTER)

    def canary(self) -> str:
        """It sees the traffic as a shadow, gets a share of it, then all."""
        with self._traffic() as errors:
            told = self._promoted("better", "promoted")
        if errors:
            raise OperationFailed(f"{len(errors)} requests failed meanwhile: {errors[0]}")
        return told

    def refuse_worse(self) -> str:
        """A worse model does not get any traffic."""
        self._trained("worse", WORSE)
        decision = self._rollout().promote(self._versions["worse"])
        if decision.outcome != "refused" or decision.champion != self._versions["better"]:
            raise OperationFailed(f"the worse model is {decision.outcome}: {decision.reason}")
        return decision.reason

    def drift(self) -> str:
        """Requests that differ from what the model learnt from are noticed."""
        if self._looked()["drifted"]:
            raise OperationFailed("drift was found in ordinary requests")
        gateway = self._gateway()
        for _ in range(ASKED):
            gateway.infer(self._clients.model, request(some(100) * 1.6))
        result = self._looked()
        if not result["drifted"]:
            raise OperationFailed(f"no drift was found in {result['rows']} rows")
        columns = [each["name"] for each in result["columns"] if each["drifted"]]
        return f"{len(columns)} columns drifted in {result['rows']} rows, none before"

    def _looked(self) -> dict[str, Any]:
        """What the drift job says now."""
        time.sleep(LOGGED_SECONDS)
        told = self._job(self._clients.drift_job)["results"]
        if len(told) != 1 or not told[0]["judged"]:
            raise OperationFailed(f"the drift job returned no result: {told}")
        return dict(told[0])

    def retrained_once(self) -> str:
        """The drift starts one training, and only one."""
        clients, ends = self._clients, time.monotonic() + RETRAIN_SECONDS
        looked = False
        while True:
            fired = self._fired()
            if fired and not looked:
                # the same drift is seen again while the training is under way, which answers both
                self._job(clients.drift_job)
                looked = True
            if fired and all(each["outcome"] in ENDED for each in fired):
                break
            if time.monotonic() > ends:
                raise OperationFailed(f"the drift has started no training that ended: {fired}")
            time.sleep(2)
        time.sleep(TICK_SECONDS)
        fired = self._fired()
        if len(fired) != 1:
            raise OperationFailed(f"{len(fired)} trainings were started by one drift")
        event = fired[0]
        if event["outcome"] != "succeeded":
            raise OperationFailed(f"the training {event['workflow']} {event['outcome']}")
        return (
            f"{event['workflow']} because of {event['trigger']}: {event['cause'].get('text', '')}"
        )

    def batch(self) -> str:
        """A table in the bucket is scored into the database, once although it runs twice."""
        wines = rows(30)
        wines.insert(0, "row", range(len(wines)))
        prefix = self._clients.batch_source
        self._put(f"{prefix}/{self._id}.csv", csv(wines))
        name = f"{self._id}.csv"
        written = []
        for _ in range(2):
            told = self._job(self._clients.batch_job, "--partition", name)
            written.append(sum(int(each["written"]) for each in told["partitions"]))
        if written != [len(wines), 0]:
            raise OperationFailed(f"{written[0]} rows were written first, then {written[1]}")
        return f"{written[0]} rows scored, the second run wrote none"

    def lineage(self) -> str:
        """From each of the six ids to the same story."""
        access = self._clients.access
        version = self._versions["better"]
        model = f"{self._clients.model}/{version}"
        index = Lineage(access.store)
        found = next((t for t in index.find(model) if t.endpoint), None)
        if found is None:
            raise OperationFailed(f"the lineage knows no endpoint of {model}")
        ids = {name: value for name, value in found.ids.items() if value}
        # started outside of a Git work tree, a run has no commit
        known = set(_SIX) if commit_here() else set(_SIX) - {"commit"}
        missing = sorted(known - set(ids))
        if missing:
            raise OperationFailed(f"the lineage of {model} lacks {', '.join(missing)}")
        lost = [n for n, value in ids.items() if all(t.model != model for t in index.find(value))]
        if lost:
            raise OperationFailed(f"{model} is not found by its {', '.join(lost)}")
        return f"{model} found by {', '.join(sorted(ids))}"

    def replayed(self) -> str:
        """The logged prediction is computed again with the model that made it."""
        clients = self._clients
        pod, index = InTenantPod(clients.jobs), Lineage(clients.access.store)
        found = replay(self._prediction, self._gateway(), pod, index)
        if not found.equal:
            raise OperationFailed(f"{found.model} now answers {found.computed}, not {found.given}")
        return f"{found.model} gives the same {len(found.given)} answers"

    def _trained(self, name: str, hyper: str) -> str:
        end = self._run(data=DATA, hyperparameters=hyper, model=self._clients.model)
        if not end.good:
            raise failure(self._clients.tenancy.workflows(), end)
        self._runs[name] = end.run
        self._versions[name] = self._clients.access.registry.latest(self._clients.model)
        metrics = metrics_of(standard(PIPELINE), self._clients.tenancy, end.run)
        told = f"{self._clients.model}/{self._versions[name]}"
        return f"{told}: accuracy {metrics['accuracy']:.3f}, run {end.run}"

    def _run(self, **values: Value) -> RunEnd:
        clients, run = self._clients, new_run(PIPELINE)
        pipeline = replace(standard(PIPELINE), asked_from=commit_here())
        filled = {each.name: each.default for each in pipeline.parameters}
        submitted = submit(
            pipeline, {**filled, **values, "promote": False}, clients.tenancy, run=run
        )
        workflows = clients.tenancy.workflows()
        return wait(workflows, submitted.namespace, run, quiet, timeout=RUN_SECONDS)

    def _promoted(self, name: str, outcome: str) -> str:
        decision = self._rollout().promote(self._versions[name])
        if decision.outcome != outcome:
            raise FoundError(f"{name} model: {decision.outcome}, {decision.reason}")
        self._gateway().follows(self._clients.model, self._versions[name], 30)
        self.champion = f"{self._clients.model}/{self._versions[name]}"
        return _summary(decision)

    def _rollout(self) -> Rollout:
        policy = Policy(shadow_seconds=5, canary=(50,), canary_seconds=5)
        access, model = self._clients.access, self._clients.model
        return Rollout(access.parts(model), policy, access.tenant, model, quiet)

    def _gateway(self) -> GatewayClient:
        gateway = self._clients.access.gateway
        if gateway is None:
            raise InputError("the platform has no model gateway")
        return gateway

    def _job(self, name: str, *more: str) -> dict[str, Any]:
        """What a job in the tenant's namespace prints."""
        namespace = contract.tenant_namespace(self._clients.access.tenant)
        return self._clients.jobs.run(namespace, name, *more, "--json")

    @contextmanager
    def _traffic(self) -> Iterator[list[str]]:
        """Somebody asks all the time; what went wrong is in the list."""
        errors: list[str] = []
        over = threading.Event()
        gateway = self._gateway()

        def ask() -> None:
            while not over.wait(0.1):
                try:
                    gateway.infer(self._clients.model, request(some(8)))
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
        clients = self._clients
        found = clients.triggers.events(clients.access.tenant, clients.model)
        return [each for each in found[: len(found) - self._events] if each["fired"]]

    def _put(self, key: str, body: bytes) -> None:
        self._clients.access.objects.put(key, body)


def _summary(decision: Decision) -> str:
    numbers = " ".join(f"{name} {value:.3f}" for name, value in decision.numbers.items())
    return f"champion {decision.model}/{decision.champion} ({numbers})"


STEPS: tuple[Check[Tour], ...] = (
    Check("Starting afresh", Tour.afresh),
    Check("Refusing bad data in a pipeline", Tour.bad_data, ("Starting afresh",)),
    Check("Materialising and reading features", Tour.online_features),
    Check("Training a model by Argo", Tour.train_first, ("Starting afresh",)),
    Check("Promoting the first model", Tour.serve_first, ("Training a model by Argo",)),
    Check("Predicting over HTTP", Tour.predict, ("Promoting the first model",)),
    Check("Refusing a wrong request", Tour.refuse_input, ("Promoting the first model",)),
    Check("Training a better model", Tour.train_better, ("Promoting the first model",)),
    Check("Promoting it by canary", Tour.canary, ("Training a better model",)),
    Check("Refusing a worse model", Tour.refuse_worse, ("Promoting it by canary",)),
    Check("Finding drift", Tour.drift, ("Promoting it by canary",)),
    Check("Training again, once", Tour.retrained_once, ("Finding drift",)),
    Check("Scoring in bulk, once", Tour.batch, ("Promoting it by canary",)),
    Check("Finding the lineage by six ids", Tour.lineage, ("Promoting it by canary",)),
    Check("Replaying a prediction", Tour.replayed, ("Predicting over HTTP",)),
)
