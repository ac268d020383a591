"""`verify` and the comparison of what runs with what is wanted, on the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mlops_infra.engine.aws_live import Wanted, differences
from mlops_infra.lifecycle.verify.aws import verify
from mlops_infra.lifecycle.verify.aws_journey import Targets
from mlops_infra.progress import quiet
from tests.engine import aws_platform as platform
from tests.engine.aws_emulator import Emulator, emulator

BUCKET = f"{platform.BASE}-raw-123456789012-us-east-1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("moto"), long=False) as found:
        platform.build(found.cloud(), keys=0)
        yield found


def test_the_loop_goes_as_far_as_the_emulator_does_and_names_the_rest(running: Emulator) -> None:
    demand = f"{platform.BASE}-demand"
    targets = Targets(BUCKET, f"{platform.BASE}-models", demand, demand, b"1,2,3\n")
    report = verify(running.cloud(), targets, quiet)
    told = {step.title: (step.outcome, step.detail) for step in report.steps}
    assert not report.failures, told
    assert told["Object store round trip"][0] == "done"
    assert told["Training by the pipeline"] == (
        "done", f"{report.pipeline_run.rpartition('/')[2]} of {demand}: Succeeded"
    )  # fmt: skip
    assert told["Finding the registered model"] == (
        "skipped", "the emulator's executions run nothing, so nothing was registered"
    )  # fmt: skip
    assert told["Looking at the endpoint"] == ("done", f"{demand} runs {demand}")
    assert told["Predicting"][0] == "done"


def test_an_endpoint_that_was_taken_back_is_found(running: Emulator) -> None:
    demand = f"{platform.BASE}-demand"
    cloud = running.cloud()
    assert differences(cloud, [Wanted(demand, demand)]) == []
    wrong = differences(cloud, [Wanted(demand, f"{demand}-2"), Wanted("gone", "x")])
    assert f"runs {demand}, and {demand}-2 was asked for" in wrong[0]
    assert wrong[1] == "endpoint gone does not exist"


def test_what_the_loop_lacks_is_a_failure_with_its_name(running: Emulator) -> None:
    report = verify(running.cloud(), Targets("not-there", "g", "nothing", None), quiet)
    failed = {step.title for step in report.failures}
    assert failed == {"Object store round trip", "Training by the pipeline"}
    assert json.dumps([step.detail for step in report.steps])
