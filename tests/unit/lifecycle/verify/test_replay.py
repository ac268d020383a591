"""A replay: the tenant's model computes in the tenant's Pod, the operator's process compares."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mlops_infra import places
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.pods.recomputing import recompute
from mlops_infra.lifecycle.verify.cron_jobs import JobRuns
from mlops_infra.lifecycle.verify.replay import InTenantPod, replay
from tests.unit.lifecycle.serving.fakes import FakeModels

LOADS_CODE = re.compile(
    r"\bload_model\(|pyfunc\.load|\b(import|from) (cloud)?pickle\b|\bjoblib\b|allow_pickle=True"
)
IN_TENANT_PODS = {
    # jobs in the tenants' namespaces: charts/lifecycle, held by tests/charts/test_tenant_code.py
    "lifecycle/pods/champions.py",
    # the container of a SageMaker endpoint, which holds that one model
    "lifecycle/endpoint/artefact.py",
}


class FakeLog:
    def __init__(self, **changed: Any) -> None:
        self.changed = changed

    def prediction(self, number: str) -> list[dict[str, Any]]:
        data = {"name": "hour", "shape": [2], "datatype": "INT64", "data": [1, 2]}
        row = {
            "prediction_id": number,
            "role": "champion",
            "tenant": "demo",
            "model": "wine",
            "version": "1",
            "at": "2026-11-21",
            "status": 200,
            "error": None,
            "request": {"inputs": [data]},
            "response": {"outputs": [{"name": "y", "shape": [2], "data": [2, 4]}]},
        }
        return [{**row, **self.changed}]


class Predicting(FakeModels):
    factor = 2

    def predict(self, registered: Any, rows: Any) -> Any:
        return (rows["hour"] * self.factor).to_numpy()


class FakeJobs(JobRuns):
    """The cluster: a Job from the tenant's template runs here."""

    def __init__(self, log: FakeLog, models: Predicting) -> None:
        self._computes = (log, models)
        self.asked: list[tuple[str, ...]] = []

    def run(self, namespace: str, cron_job: str, *more: str) -> dict[str, Any]:
        self.asked.append((namespace, cron_job, *more))
        return {"computed": recompute(more[0], *self._computes)}


def test_a_prediction_is_computed_again_in_the_tenants_namespace() -> None:
    models, log = Predicting(), FakeLog()
    models.add("1", 0.9)
    jobs = FakeJobs(log, models)
    found = replay("p", log, InTenantPod(jobs), None)
    assert (found.equal, found.given, found.computed, found.difference) == (
        True, (2, 4), (2, 4), 0.0,
    )  # fmt: skip
    assert jobs.asked == [("tenant-demo", "lifecycle-replay", "p")]
    models.factor = 3
    found = replay("p", log, InTenantPod(jobs), None)
    assert (found.equal, found.difference) == (False, 2.0)


def test_what_was_logged_without_its_content_starts_no_pod() -> None:
    jobs = FakeJobs(FakeLog(), Predicting())
    with pytest.raises(InputError, match="too long for the log"):
        replay("p", FakeLog(request=None), InTenantPod(jobs), None)
    assert jobs.asked == []


def test_a_pod_that_prints_something_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = FakeJobs(FakeLog(), Predicting())
    monkeypatch.setattr(jobs, "run", lambda *_: {"computed": "all is well"})
    with pytest.raises(OperationFailed, match="printed no answers"):
        replay("p", FakeLog(), InTenantPod(jobs), None)


def test_nothing_else_in_the_package_loads_a_model_as_code() -> None:
    package = places.project() / "mlops_infra"
    found = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if LOADS_CODE.search(file.read_text("utf-8"))
    }
    assert found == IN_TENANT_PODS
