"""Batch predictions: EventBridge Scheduler starts transform jobs, with no function between."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.scheduler import Schedule

from mlops_infra.components.aws.cloudwatch.alarms import Alarms
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.places import lake_uri
from mlops_infra.components.aws.iam.roles import RoleSpec, Statement, use_key
from mlops_infra.components.aws.sagemaker.models import container, model
from mlops_infra.config.aws.models import BatchTransform
from mlops_infra.naming import fitted

TYPE = "mlops-infra:aws:Batches"
EXECUTION = "<aws.scheduler.execution-id>"
"""Put in by the scheduler: a transform job's name may be used only once."""
EXECUTION_LENGTH = 20


class Batches(pulumi.ComponentResource):
    """The schedules of `aws.batches`."""

    def __init__(
        self,
        foundation: Foundation,
        alarms: Alarms,
        *,
        role_arn: Output[str],
        ready: list[pulumi.Resource],
    ) -> None:
        super().__init__(TYPE, "batches", {}, ResourceOptions(parent=foundation.parent))
        self._foundation, self._alarms = foundation, alarms
        self._role_arn, self._ready = role_arn, ready
        jobs = foundation.names.arn("sagemaker", f"transform-job/{foundation.names.base}-*")
        spec = RoleSpec(
            "scheduler",
            "scheduler",
            (
                Statement("Start", ("sagemaker:CreateTransformJob", "sagemaker:AddTags"), (jobs,)),
                Statement("Failures", ("sqs:SendMessage",), (alarms.failures.arn,)),
                use_key("Keys", foundation.data_key),
            ),
        )
        self._scheduler, self._policy = foundation.role_with_policy(spec, parent=self)
        for name, config in foundation.config.batches.items():
            self._batch(name, config)
        self.register_outputs({})

    def _batch(self, name: str, config: BatchTransform) -> None:
        foundation = self._foundation
        made_of = container(foundation, config.model)
        if made_of is None:
            pulumi.log.warn(f"batch {name} waits for an approved model")
            return
        used = model(
            foundation,
            f"{name}-batch",
            made_of,
            role_arn=self._role_arn,
            parent=self,
            ready=self._ready,
        )
        wanted = Output.all(model=used.name, key=foundation.data_key).apply(
            lambda known: json.dumps(transform_job(foundation, name, config, **known))
        )
        Schedule(
            name,
            name=foundation.name("schedule", name),
            description=f"Predictions for {config.input}",
            schedule_expression=config.schedule,
            flexible_time_window={"mode": "OFF"},
            kms_key_arn=foundation.data_key,
            target={
                "arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createTransformJob",
                "role_arn": self._scheduler.arn,
                "input": wanted,
                "dead_letter_config": {"arn": self._alarms.failures.arn},
                "retry_policy": {"maximum_retry_attempts": 3},
            },
            opts=ResourceOptions(parent=self, depends_on=[self._policy]),
        )


def transform_job(
    foundation: Foundation, name: str, config: BatchTransform, *, model: str, key: str
) -> dict[str, Any]:
    """What CreateTransformJob is given; answers go to a folder of each run."""
    room = 63 - EXECUTION_LENGTH - 1
    job = fitted(f"{foundation.names.base}-{name}", room)
    return {
        "TransformJobName": f"{job}-{EXECUTION}",
        "ModelName": model,
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": 6,
        "TransformInput": {
            "ContentType": config.content,
            "SplitType": "Line",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": lake_uri(foundation, config.input) + "/",
                }
            },
        },
        "TransformOutput": {
            "S3OutputPath": f"{lake_uri(foundation, config.output)}/{EXECUTION}",
            "AssembleWith": "Line",
            "Accept": "application/jsonlines",
            "KmsKeyId": key,
        },
        "TransformResources": {
            "InstanceType": config.instance,
            "InstanceCount": config.count,
            "VolumeKmsKeyId": key,
        },
    }
