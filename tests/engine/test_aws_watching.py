"""The kit's own monitor of an endpoint: the very call that the schedule makes, on real requests.

The emulator keeps objects and metrics; Evidently compares. Nobody starts the job here: SageMaker
and EventBridge Scheduler would.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from mlops_infra.aws import Cloud
from mlops_infra.cli.main import cli
from mlops_infra.engine.aws_graph import declare
from mlops_infra.engine.declaration import Declared
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.steps.baseline import constraints, statistics
from tests.engine.aws_emulator import Emulator, emulator

STACK_FILE = Path(__file__).resolve().parents[2] / "stacks" / "Pulumi.aws-prod.yaml"
REGION = "ap-northeast-2"
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("moto"), long=False) as found:
        yield found


@pytest.fixture(scope="module")
def program() -> list[Declared]:
    return declare("aws-prod", STACK_FILE)


@pytest.fixture(scope="module")
def arguments(program: list[Declared]) -> list[str]:
    (schedule,) = [each for each in program if each.name == "demand-data"
                   and each.type == "aws:scheduler/schedule:Schedule"]  # fmt: skip
    job = json.loads(schedule.inputs["target"]["input"])
    assert len(job["ProcessingJobName"].replace("<aws.scheduler.execution-id>", "x" * 20)) <= 63
    return [str(each) for each in job["AppSpecification"]["ContainerArguments"]]


@pytest.fixture
def cloud(running: Emulator, arguments: list[str]) -> Cloud:
    running.reset()
    found = Cloud(replace(running.site, region=REGION))
    where = {"LocationConstraint": REGION}
    bucket = arguments[arguments.index("--captures") + 1].split("/")[2]
    found.call("s3", "create_bucket", Bucket=bucket, CreateBucketConfiguration=where)
    seen = learnt(np.random.default_rng(7))
    folder = arguments[arguments.index("--baseline") + 1].split("/", 3)[3]
    for name, document in (("statistics", statistics(seen)), ("constraints", constraints(seen))):
        body = json.dumps(document).encode()
        found.call("s3", "put_object", Bucket=bucket, Key=f"{folder}/{name}.json", Body=body)
    return found


def learnt(random: np.random.Generator, rows: int = 500) -> pd.DataFrame:
    shops = random.choice(["north", "south"], rows)
    return pd.DataFrame({"amount": random.gamma(2.0, 20.0, rows), "shop": shops})


def as_csv(frame: pd.DataFrame) -> dict[str, str]:
    data = frame.to_csv(header=False, index=False)
    return {"observedContentType": "text/csv", "encoding": "CSV", "data": data}


def as_json(frame: pd.DataFrame) -> dict[str, str]:
    rows = {"instances": json.loads(frame.to_json(orient="records"))}
    return {"observedContentType": "application/json", "encoding": "JSON", "data": json.dumps(rows)}


def hidden(frame: pd.DataFrame) -> dict[str, str]:
    text = frame.to_csv(index=False).encode()
    data = base64.b64encode(text).decode()
    return {"observedContentType": "text/csv", "encoding": "BASE64", "data": data}


def record(
    cloud: Cloud,
    arguments: list[str],
    frame: pd.DataFrame,
    form: Callable[[pd.DataFrame], dict[str, str]],
    hours: int = 0,
) -> None:
    """Put requests of ten rows where SageMaker would, with a line that is none."""
    at = NOW - datetime.timedelta(hours=hours)
    lines = [
        json.dumps({"captureData": {"endpointInput": form(part)}, "eventVersion": "0"})
        for _, part in frame.groupby(np.arange(len(frame)) // 10)
    ]
    url, endpoint = (arguments[arguments.index(o) + 1] for o in ("--captures", "--endpoint"))
    bucket, folder = url.split("/", 3)[2:]
    key = f"{folder}/{endpoint}/champion/{at:%Y/%m/%d/%H}/{form.__name__}.jsonl"
    cloud.call("s3", "put_object", Bucket=bucket, Key=key, Body="\n".join(["{", *lines]).encode())


def looked(cloud: Cloud, arguments: list[str]) -> Any:
    url = ("--endpoint-url", str(cloud.site.endpoint_url))
    done = CliRunner().invoke(cli, [*arguments, *url])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def value(cloud: Cloud, program: list[Declared], alarm: str) -> tuple[float, bool]:
    """What the alarm that the program declares would see, and whether it would ring."""
    (found,) = [each.inputs for each in program if each.name == alarm]
    told = cloud.call(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=found["namespace"],
        MetricName=found["metricName"],
        Dimensions=[{"Name": k, "Value": v} for k, v in found["dimensions"].items()],
        StartTime=NOW - datetime.timedelta(hours=1),
        EndTime=NOW + datetime.timedelta(hours=1),
        Period=7200,
        Statistics=[found["statistic"]],
    )["Datapoints"]
    highest = max((float(each[found["statistic"]]) for each in told), default=-1.0)
    return highest, highest >= found["threshold"]


def test_requests_like_the_training_data_ring_nothing(
    cloud: Cloud, arguments: list[str], program: list[Declared]
) -> None:
    asked = learnt(np.random.default_rng(8), 900)
    for hours, form, part in ((0, as_csv, asked[:300]), (3, as_json, asked[300:600]),
                              (23, hidden, asked[600:]), (40, as_csv, asked * 2)):  # fmt: skip
        record(cloud, arguments, part, form, hours)
    seen = looked(cloud, arguments)
    assert (seen["rows"], seen["unreadable"], seen["judged"]) == (900, 3, True)
    assert seen["broken"] == []
    assert value(cloud, program, "demand-data-drift") == (pytest.approx(seen["largest"]), False)
    assert value(cloud, program, "demand-data-quality") == (0, False)
    bucket, key = seen["report"].split("/", 3)[2:]
    page = cloud.call("s3", "get_object", Bucket=bucket, Key=f"{key}.html")["Body"].read()
    assert b"<html" in page


def test_drift_and_broken_rules_ring_the_alarms_that_the_program_declares(
    cloud: Cloud, arguments: list[str], program: list[Declared]
) -> None:
    asked = learnt(np.random.default_rng(9), 300)
    asked["amount"] = asked["amount"] * 3 - 10
    asked.loc[:9, "shop"] = "moon"
    record(cloud, arguments, asked, as_csv)
    seen = looked(cloud, arguments)
    assert any("moon" in each for each in seen["broken"])
    assert any(each.startswith("amount: ") and "below 0" in each for each in seen["broken"])
    assert value(cloud, program, "demand-data-drift")[1]
    assert value(cloud, program, "demand-data-quality")[1]


def test_too_few_requests_say_nothing(
    cloud: Cloud, arguments: list[str], program: list[Declared]
) -> None:
    record(cloud, arguments, learnt(np.random.default_rng(9), 20) * 5, as_json)
    assert looked(cloud, arguments)["judged"] is False
    assert value(cloud, program, "demand-data-drift") == (-1.0, False)


def test_without_a_baseline_the_job_fails_and_says_where_one_belongs(
    cloud: Cloud, arguments: list[str]
) -> None:
    at = arguments.index("--baseline") + 1
    elsewhere = [*arguments[:at], f"{arguments[at]}-not", *arguments[at + 1 :]]
    url = ("--endpoint-url", str(cloud.site.endpoint_url))
    done = CliRunner().invoke(cli, [*elsewhere, *url])
    assert isinstance(done.exception, InputError)
    assert str(done.exception.where).endswith("baselines/demand-not/statistics.json")
