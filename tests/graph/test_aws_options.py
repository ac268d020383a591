"""What aws-prod declares when the configuration chooses otherwise: monitors, delivery."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.graph import aws_rules
from tests.graph.conftest import settings
from tests.graph.recording import Graph

MONITORS = {
    "kit": ("aws:scheduler/schedule:Schedule", "mlops-aws-prod-watch-demand-data"),
    "modelMonitor": (
        "aws:sagemaker/monitoringSchedule:MonitoringSchedule",
        "mlops-aws-prod-demand-data",
    ),
}
RULES = (aws_rules.unencrypted, aws_rules.too_long, aws_rules.undecided, aws_rules.wide_roles)


def changed(**aws: Any) -> dict[str, Any]:
    return {"aws": {**settings("aws-prod")["aws"], **aws}}


def test_a_new_account_needs_no_model_monitor(graph: Callable[..., Graph]) -> None:
    """AWS refuses these to accounts that had none before; the example must come up everywhere."""
    kinds = {node.type.rpartition(":")[2] for node in graph("aws-prod").nodes}
    assert not kinds & {"DataQualityJobDefinition", "MonitoringSchedule"}


@pytest.mark.parametrize("by", MONITORS)
def test_each_kind_of_monitor_is_safe_and_rings_what_the_trigger_waits_for(
    by: str, graph: Callable[..., Graph]
) -> None:
    monitor = {**settings("aws-prod")["aws"]["monitors"]["demand-data"], "by": by}
    recorded = graph("aws-prod", **changed(monitors={"demand-data": monitor}))
    kind, name = MONITORS[by]
    assert name in [node.inputs.get("name") for node in recorded.of(kind)]
    assert [found for rule in RULES for found in rule(recorded)] == []
    (alarm,) = [n for n in recorded.of("aws:cloudwatch/metricAlarm:MetricAlarm")
                if n.name == "demand-data-drift"]  # fmt: skip
    (rule,) = [n for n in recorded.of("aws:cloudwatch/eventRule:EventRule")
               if n.name == "demand-drift"]  # fmt: skip
    waits = json.loads(rule.inputs["eventPattern"])["detail"]
    assert waits == {"alarmName": [alarm.inputs["name"]], "state": {"value": ["ALARM"]}}


def test_the_watching_job_is_private_encrypted_and_of_the_job_role(
    graph: Callable[..., Graph],
) -> None:
    (schedule,) = [n for n in graph("aws-prod").of("aws:scheduler/schedule:Schedule")
                   if n.name == "demand-data"]  # fmt: skip
    job = json.loads(schedule.inputs["target"]["input"])
    assert job["RoleArn"].endswith(":role/mlops-aws-prod-jobs")
    assert job["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"]
    network = job["NetworkConfig"]
    assert network["EnableInterContainerTrafficEncryption"] is True
    assert len(network["VpcConfig"]["Subnets"]) == 2
    assert {each["Key"] for each in job["Tags"]} >= {"mlops-infra:stack", "cost-center"}


def test_github_gets_a_role_of_its_own_branches_only(graph: Callable[..., Graph]) -> None:
    github = {"repository": "example/ml-platform", "branches": ["main"], "environments": ["prod"]}
    recorded = graph("aws-prod", **changed(delivery={"github": github}))
    (role,) = [n for n in recorded.of("aws:iam/role:Role") if n.name == "github"]
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": [
                "repo:example/ml-platform:environment:prod",
                "repo:example/ml-platform:ref:refs/heads/main",
            ],
        }
    }
    assert assumed(recorded, "github") == ["arn:aws:iam::444455556666:role/mlops-deployer"]
    assert not recorded.of("aws:codepipeline/pipeline:Pipeline")
    assert list(aws_rules.wide_roles(recorded)) == []


def test_each_stage_is_approved_and_deployed_by_its_own_accounts_role(
    graph: Callable[..., Graph],
) -> None:
    recorded = graph("aws-prod")
    (pipeline,) = recorded.of("aws:codepipeline/pipeline:Pipeline")
    names = [stage["name"] for stage in pipeline.inputs["stages"]]
    assert names == ["Source", "Test", "Approve", "Deploy", "Approve-standby", "Deploy-standby"]
    assert assumed(recorded, "build-deploy-policy") == [
        "arn:aws:iam::444455556666:role/mlops-deployer"
    ]
    assert assumed(recorded, "build-standby-policy") == [
        "arn:aws:iam::777788889999:role/mlops-deployer"
    ]
    assert assumed(recorded, "build-test-policy") == []


def assumed(recorded: Graph, policy: str) -> list[str]:
    """Roles that a policy lets its owner become."""
    (found,) = [n for n in recorded.of("aws:iam/rolePolicy:RolePolicy") if n.name == policy]
    return [
        role
        for statement in json.loads(found.inputs["policy"])["Statement"]
        if "sts:AssumeRole" in statement["Action"]
        for role in statement["Resource"]
    ]
