"""What starts a pipeline: times, new data, drift, an approval, a person. Each event starts one run.

EventBridge delivers at least once and an upload makes many events, so rules call one small function
that makes the run's token of the event, and not the pipeline itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.cloudwatch import EventRule, EventTarget
from pulumi_aws.lambda_ import Permission

from mlops_infra.components.aws.cloudwatch.alarms import Alarms
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.places import bucket_and_prefix
from mlops_infra.components.aws.functions.lambda_function import function
from mlops_infra.components.aws.iam.roles import Statement
from mlops_infra.config.aws.models import Trigger

TYPE = "mlops-infra:aws:Triggers"
SOURCE, REQUEST = "mlops-infra", "Run pipeline"
"""Source and detail-type of an event by which a person, or a program, asks for a run."""
HOUR = 3600


class Triggers(pulumi.ComponentResource):
    """The rules of `aws.triggers` and the function that they call."""

    def __init__(self, foundation: Foundation, alarms: Alarms) -> None:
        super().__init__(TYPE, "triggers", {}, ResourceOptions(parent=foundation.parent))
        self._foundation, self._failures = foundation, alarms.failures
        triggers = foundation.config.triggers
        pipelines = sorted({foundation.name("pipeline", t.pipeline) for t in triggers.values()})
        own = [foundation.names.arn("sagemaker", f"pipeline/{name}") for name in pipelines]
        told = {name: _payload(foundation, config) for name, config in triggers.items()}
        self._starter = function(
            foundation,
            "starter",
            script="starter.py",
            statements=(
                Statement(
                    "Start",
                    ("sagemaker:ListPipelineExecutions", "sagemaker:StartPipelineExecution"),
                    tuple(own),
                ),
            ),
            environment={"TRIGGERS": json.dumps(told, sort_keys=True)},
            timeout=60,
            concurrency=5,
            dead_letters=alarms.failures.arn,
            parent=self,
        )
        for name, config in triggers.items():
            self._rule(name, config)
        self.register_outputs({})

    def _rule(self, name: str, config: Trigger) -> None:
        below = ResourceOptions(parent=self)
        wanted = pattern(self._foundation, name, config)
        rule = EventRule(
            name,
            name=self._foundation.name("rule", name),
            description=f"{cause(config)} starts {config.pipeline}",
            state="ENABLED" if config.enabled else "DISABLED",
            schedule_expression=config.schedule,
            event_pattern=json.dumps(wanted) if wanted is not None else None,
            opts=below,
        )
        EventTarget(
            name,
            rule=rule.name,
            target_id="starter",
            arn=self._starter.arn,
            input_transformer={
                "input_paths": {"event": "$"},
                "input_template": f'{{"trigger": "{name}", "event": <event>}}',
            },
            dead_letter_config={"arn": self._failures.arn},
            retry_policy={
                "maximum_event_age_in_seconds": HOUR,
                "maximum_retry_attempts": 8,
            },
            opts=below,
        )
        Permission(
            name,
            statement_id=name,
            action="lambda:InvokeFunction",
            function=self._starter.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=below,
        )


def cause(config: Trigger) -> str:
    """Which of the five starts it."""
    if config.schedule is not None:
        return "schedule"
    if config.new_data is not None:
        return "newData"
    if config.drift is not None:
        return "drift"
    return "approval" if config.approval else "onDemand"


def pattern(foundation: Foundation, name: str, config: Trigger) -> dict[str, Any] | None:
    """The events that a rule waits for; None for times."""
    match cause(config):
        case "newData":
            bucket, prefix = bucket_and_prefix(foundation, config.new_data or "")
            return {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [bucket]}, **_key(prefix, config.marker)},
            }
        case "drift":
            return {
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "detail": {
                    "alarmName": [foundation.name("alarm", f"{config.drift}-drift")],
                    "state": {"value": ["ALARM"]},
                },
            }
        case "approval":
            group = foundation.name("model-group", foundation.config.registry.group)
            return {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
            }
        case "onDemand":
            return {
                "source": [SOURCE],
                "detail-type": [REQUEST],
                "detail": {"stack": [foundation.names.stack], "trigger": [name]},
            }
    return None


def _key(prefix: str, marker: str | None) -> dict[str, Any]:
    if marker is not None:
        return {"object": {"key": [{"wildcard": f"{prefix}*{marker}"}]}}
    return {"object": {"key": [{"prefix": prefix}]}} if prefix else {}


def _payload(foundation: Foundation, config: Trigger) -> Mapping[str, Any]:
    return {
        "pipeline": foundation.name("pipeline", config.pipeline),
        "cause": cause(config),
        "coolDownMinutes": config.cool_down_minutes,
        "parameters": config.parameters,
    }


def build_triggers(foundation: Foundation, alarms: Alarms) -> Triggers | None:
    """Declare rules and function; nothing where the configuration has no trigger."""
    return Triggers(foundation, alarms) if foundation.config.triggers else None
