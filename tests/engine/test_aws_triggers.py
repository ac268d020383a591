"""Events that start the declared pipeline: EventBridge's matching is moto's, the function is ours.

moto starts no Lambda without Docker, so a queue stands at the rule's end, and the function is
called here with what EventBridge's transformer would hand over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_infra.aws import Cloud
from mlops_infra.components.aws.scripts import starter
from tests.engine import aws_loop
from tests.engine.aws_emulator import REGION, Emulator, emulator
from tests.engine.aws_loop import one
from tests.engine.aws_platform import Platform, registry

PIPELINE = f"mlops-{aws_loop.STACK}-cells"
DRIFT = f"mlops-{aws_loop.STACK}-cells-data-drift"
RAW = f"mlops-{aws_loop.STACK}-raw-123456789012-{REGION}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("moto"), long=False) as found:
        yield found


@pytest.fixture
def cloud(running: Emulator, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    running.reset()
    found = running.cloud()
    definition = one(aws_loop.declared(), "Pipeline", "cells")["pipelineDefinition"]
    found.call(
        "sagemaker", "create_pipeline", PipelineName=PIPELINE, PipelineDisplayName=PIPELINE,
        PipelineDefinition=definition, ClientRequestToken="x" * 32,
        RoleArn="arn:aws:iam::123456789012:role/jobs",
    )  # fmt: skip
    registry(Platform(found), group=f"mlops-{aws_loop.STACK}-models", packages=0)
    told = one(aws_loop.declared(), "Function", "starter")["environment"]["variables"]["TRIGGERS"]
    for name, value in {
        "TRIGGERS": told, "AWS_ENDPOINT_URL": running.url, "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    starter._sagemaker.cache_clear()
    return found


def delivered(cloud: Cloud, trigger: str, *entries: dict[str, Any]) -> list[dict[str, Any]]:
    """What the declared rule of a trigger lets through, as the function gets it."""
    rule = one(aws_loop.declared(), "EventRule", trigger)
    target = one(aws_loop.declared(), "EventTarget", trigger)
    name, queue = rule["name"], f"{trigger}-seen"
    url = cloud.call("sqs", "create_queue", QueueName=queue)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:{queue}"
    cloud.call("events", "put_rule", Name=name, EventPattern=rule["eventPattern"])
    cloud.call("events", "put_targets", Rule=name, Targets=[{"Id": "seen", "Arn": arn}])
    cloud.call("events", "put_events", Entries=[_entry(each) for each in entries])
    got = cloud.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10)
    template = target["inputTransformer"]["inputTemplate"]
    assert target["inputTransformer"]["inputPaths"] == {"event": "$"}
    found: list[dict[str, Any]] = [
        json.loads(template.replace("<event>", each["Body"])) for each in got.get("Messages", ())
    ]
    return found


def _entry(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "Detail": json.dumps(event["Detail"])}


def alarm(name: str, state: str) -> dict[str, Any]:
    detail = {"alarmName": name, "state": {"value": state}}
    kind = "CloudWatch Alarm State Change"
    return {"Source": "aws.cloudwatch", "DetailType": kind, "Detail": detail}


def created(key: str, bucket: str = RAW) -> dict[str, Any]:
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}}
    return {"Source": "aws.s3", "DetailType": "Object Created", "Detail": detail}


def executions(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.call(
        "sagemaker", "list_pipeline_executions", PipelineName=PIPELINE
    )["PipelineExecutionSummaries"]
    return found


def test_drift_trains_again_once(cloud: Cloud) -> None:
    names = [e.inputs["name"] for e in aws_loop.declared() if e.type.endswith(":MetricAlarm")]
    assert DRIFT in names
    (given,) = delivered(
        cloud, "cells-drift", alarm(DRIFT, "OK"), alarm(DRIFT, "ALARM"),
        alarm("mlops-loop-cells-latency", "ALARM"),
    )  # fmt: skip
    started = starter.handler(given, None)
    (execution,) = executions(cloud)
    assert started == {"started": execution["PipelineExecutionArn"]}
    told = cloud.call(
        "sagemaker", "describe_pipeline_execution",
        PipelineExecutionArn=execution["PipelineExecutionArn"],
    )  # fmt: skip
    assert told["PipelineExecutionDescription"] == f"drift: {DRIFT}"
    # EventBridge delivers at least once, and the alarm may ring again within the hour
    assert "skipped" in starter.handler(given, None)
    (other,) = delivered(cloud, "cells-drift", alarm(DRIFT, "ALARM"))[:1]
    assert "skipped" in starter.handler(other, None)
    assert len(executions(cloud)) == 1


def test_the_same_event_has_the_same_token_and_another_has_not(cloud: Cloud) -> None:
    first, second = delivered(
        cloud, "cells-drift", alarm(DRIFT, "ALARM"), alarm(DRIFT, "ALARM")
    )  # fmt: skip
    tokens = {starter.token("cells-drift", each["event"]) for each in (first, first, second)}
    assert len(tokens) == 2
    assert all(32 <= len(each) <= 128 for each in tokens)


def test_an_event_for_a_trigger_that_is_gone_goes_to_the_dead_letters(cloud: Cloud) -> None:
    with pytest.raises(KeyError):
        starter.handler({"trigger": "gone", "event": {"id": "1"}}, None)
    target = one(aws_loop.declared(), "EventTarget", "cells-drift")
    assert "failures" in target["deadLetterConfig"]["arn"]
    assert not executions(cloud)


def test_new_data_starts_it_when_the_batch_is_whole(cloud: Cloud) -> None:
    (given,) = delivered(
        cloud, "new-cells", created("cells/a/part-0.csv"), created("cells/a/_SUCCESS"),
        created("other/_SUCCESS"), created("cells/a/_SUCCESS", "somebody-elses"),
    )  # fmt: skip
    started = starter.handler(given, None)
    told = cloud.call(
        "sagemaker", "describe_pipeline_execution", PipelineExecutionArn=started["started"]
    )
    assert told["PipelineExecutionDescription"] == "newData: cells/a/_SUCCESS"
