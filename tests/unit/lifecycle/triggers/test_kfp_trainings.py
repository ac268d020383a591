"""Trainings on Kubeflow Pipelines, against a fake of its API server."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.lifecycle.triggers.declared import DeclaredModel, read
from mlops_infra.lifecycle.triggers.kfp_trainings import EitherEngine, KfpTrainings, build
from mlops_infra.lifecycle.triggers.ledger import Claim
from mlops_infra.lifecycle.triggers.workflows import build as argo_build
from tests.unit.lifecycle.pipeline.fake_kfp import FakeKfp, FakeTenancy, serving

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
SPACE = "tenant-demo"


def model(engine: str) -> DeclaredModel:
    parameters = {"algorithm": "forest"}
    return DeclaredModel("demo", "wine", SPACE, "tabular-classification", parameters, engine=engine)


def claim(name: str = "wine-1") -> Claim:
    return Claim("demo", "wine", "wine/drift", "key", name, {"text": "drifted"}, NOW)


class FakeArgo:
    """Remembers the Workflows that it was given."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def create(self, _namespace: str, manifest: Mapping[str, Any]) -> bool:
        self.made[manifest["metadata"]["name"]] = manifest["kind"]
        return True

    def status(self, _namespace: str, name: str) -> tuple[str, str] | None:
        return ("Running", "") if name in self.made else None


@pytest.fixture
def server() -> FakeKfp:
    return FakeKfp(tokens={"token-of-tenant-demo": SPACE})


@pytest.fixture
def kfp(server: FakeKfp) -> Iterator[KfpTrainings]:
    with serving(server) as url:

        def tenancy(tenant: str) -> FakeTenancy:
            around = Environment(tenant=tenant, runtime_image="r:1", pipelines_endpoint=url)
            return FakeTenancy(around)

        yield KfpTrainings(tenancy, lambda _name: nullcontext(True))


def test_a_training_goes_to_the_engine_of_its_tenant(server: FakeKfp, kfp: KfpTrainings) -> None:
    argo = FakeArgo()
    both, make = EitherEngine(argo, kfp, frozenset({SPACE})), build(argo_build("r:1"))
    assert both.create(SPACE, make(model("kfp"), claim("by-kfp")))
    assert both.create(SPACE, make(model("argo"), claim("by-argo")))
    (run,) = server.runs.values()
    assert run["display_name"] == "by-kfp"
    assert run["runtime_config"]["parameters"]["model"] == "wine"
    assert argo.made == {"by-argo": "Workflow"}
    assert both.status(SPACE, "by-argo") == ("Running", "")
    assert both.status(SPACE, "by-kfp") == ("Pending", "")
    assert both.status(SPACE, "neither") is None


def test_the_plans_document_tells_the_engine() -> None:
    body = {"tenant": "demo", "name": "wine", "namespace": SPACE, "pipeline": "p"}
    chosen = {"pipelineEngine": "kfp"}
    documents = [{**body, **chosen}, {**body, "name": "b"}, {**body, "pipelineEngine": "x"}]
    good, refused = read(json.dumps({"models": documents}), "models.json")
    assert [each.engine for each in good] == ["kfp", "argo"]
    assert "no such engine: 'x'" in refused[0].reason


def test_a_claim_that_is_carried_out_again_starts_no_second_run(
    server: FakeKfp, kfp: KfpTrainings
) -> None:
    document = build(argo_build("r:1"))(model("kfp"), claim())
    assert kfp.create(SPACE, document) is True
    assert kfp.create(SPACE, document) is False
    assert len(server.runs) == 1


def test_a_claim_that_another_controller_carries_out_is_left_to_it(
    server: FakeKfp, kfp: KfpTrainings
) -> None:
    kfp._alone = lambda _name: nullcontext(False)
    with pytest.raises(OperationFailed, match="another controller"):
        kfp.create(SPACE, build(argo_build("r:1"))(model("kfp"), claim()))
    assert server.runs == {}


@pytest.mark.parametrize(
    ("state", "phase"), [("SUCCEEDED", "Succeeded"), ("FAILED", "Failed"), ("CANCELED", "Failed")]
)
def test_the_end_of_a_training_is_told_in_the_ledgers_words(
    server: FakeKfp, kfp: KfpTrainings, state: str, phase: str
) -> None:
    kfp.create(SPACE, build(argo_build("r:1"))(model("kfp"), claim()))
    server.runs["runs-1"]["state"] = state
    found = kfp.status(SPACE, "wine-1")
    assert found is not None
    assert found[0] == phase
