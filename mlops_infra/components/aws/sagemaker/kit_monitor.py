"""The kit's own monitors: EventBridge Scheduler starts processing jobs that call `mlops-infra`.

AWS closed Model Monitor to accounts that had not used it before ("Amazon SageMaker Model Monitor
availability change" in the developer guide). Nothing here needs it: the endpoint records requests,
a job compares them with the baseline of the training data and tells CloudWatch.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.cloudwatch import MetricAlarm
from pulumi_aws.scheduler import Schedule

from mlops_infra.components.aws.cloudwatch.alarms import Alarms
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.images import runtime_image
from mlops_infra.components.aws.foundation.places import baseline_uri
from mlops_infra.components.aws.iam.roles import RoleSpec, Statement, grant_key, pass_role, use_key
from mlops_infra.components.aws.sagemaker.batches import EXECUTION, EXECUTION_LENGTH
from mlops_infra.components.aws.sagemaker.endpoint_configuration import capture_uri
from mlops_infra.components.aws.sagemaker.job_role import JOBS
from mlops_infra.config.aws.models import Monitor
from mlops_infra.naming import fitted

TYPE = "mlops-infra:aws:Watching"
NAMESPACE = "mlops-infra/monitors"
LARGEST, BROKEN = "largest_drift", "broken_rules"
"""Metrics that `mlops_infra.lifecycle.drift.endpoint` puts; a test compares the names."""
LONGEST_SECONDS = 3_300
VOLUME_GB = 30


class Watching(pulumi.ComponentResource):
    """`alarms`: the drift alarm by monitor, for triggers."""

    def __init__(
        self,
        foundation: Foundation,
        monitors: dict[str, Monitor],
        alarms: Alarms,
        *,
        ready: list[pulumi.Resource],
    ) -> None:
        super().__init__(TYPE, "watching", {}, ResourceOptions(parent=foundation.parent))
        self._foundation, self._alarms, self._ready = foundation, alarms, ready
        names = foundation.names
        jobs = names.arn("sagemaker", f"processing-job/{names.base}-*")
        spec = RoleSpec(
            "watcher",
            "scheduler",
            (
                Statement("Start", ("sagemaker:CreateProcessingJob", "sagemaker:AddTags"), (jobs,)),
                pass_role("Jobs", [foundation.role_arn(JOBS)], "sagemaker"),
                Statement("Failures", ("sqs:SendMessage",), (alarms.failures.arn,)),
                use_key("Keys", foundation.data_key),
                grant_key("Volumes", foundation.data_key),
            ),
        )
        self._role, self._policy = foundation.role_with_policy(spec, parent=self)
        self.alarms = {name: self._monitor(name, config) for name, config in monitors.items()}
        self.register_outputs({})

    def _monitor(self, name: str, config: Monitor) -> MetricAlarm:
        foundation = self._foundation
        group = foundation.network.jobs_group
        known = Output.all(
            key=foundation.data_key, group=group, subnets=Output.all(*foundation.network.subnet_ids)
        )
        schedule = Schedule(
            name,
            name=foundation.name("schedule", f"watch-{name}"),
            description=f"Looks at what {config.endpoint} is asked",
            schedule_expression=config.schedule,
            flexible_time_window={"mode": "OFF"},
            kms_key_arn=foundation.data_key,
            target={
                "arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob",
                "role_arn": self._role.arn,
                "input": known.apply(lambda k: json.dumps(job(foundation, name, config, **k))),
                "dead_letter_config": {"arn": self._alarms.failures.arn},
                "retry_policy": {"maximum_retry_attempts": 3},
            },
            opts=ResourceOptions(parent=self, depends_on=[self._policy, *self._ready]),
        )
        below = ResourceOptions(parent=self, depends_on=[schedule])
        self._alarm(f"{name}-quality", BROKEN, 1, name, config, below)
        return self._alarm(f"{name}-drift", LARGEST, config.threshold, name, config, below)

    def _alarm(
        self,
        what: str,
        metric: str,
        threshold: float,
        monitor: str,
        config: Monitor,
        opts: ResourceOptions,
    ) -> MetricAlarm:
        foundation = self._foundation
        told = "are unlike" if metric == LARGEST else "break rules of"
        return MetricAlarm(
            what,
            name=foundation.name("alarm", what),
            alarm_description=f"Requests of {config.endpoint} {told} the training data",
            namespace=NAMESPACE,
            metric_name=metric,
            dimensions={
                "Endpoint": foundation.name("endpoint", config.endpoint),
                "Monitor": monitor,
            },
            statistic="Maximum",
            period=3_600,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=threshold,
            evaluation_periods=1,
            # too few requests, or no run in this hour: nothing is known, and nothing is wrong
            treat_missing_data="notBreaching",
            alarm_actions=[self._alarms.topic.arn],
            opts=opts,
        )


def job(
    foundation: Foundation, name: str, config: Monitor, *, key: str, group: str, subnets: list[str]
) -> dict[str, Any]:
    """What CreateProcessingJob is given."""
    room = 63 - EXECUTION_LENGTH - 1
    return {
        "ProcessingJobName": f"{fitted(f'{foundation.names.base}-{name}', room)}-{EXECUTION}",
        "RoleArn": foundation.role_arn(JOBS),
        "AppSpecification": {
            "ImageUri": runtime_image(foundation, "training"),
            "ContainerEntrypoint": ["mlops-infra"],
            "ContainerArguments": arguments(foundation, name, config),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": config.instance,
                "VolumeSizeInGB": VOLUME_GB,
                "VolumeKmsKeyId": key,
            }
        },
        "NetworkConfig": {
            # the job reads S3 and puts metrics: isolation would silence it
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": True,
            "VpcConfig": {"SecurityGroupIds": [group], "Subnets": list(subnets)},
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_SECONDS},
        "Tags": [{"Key": each, "Value": value} for each, value in foundation.tags.items()],
    }


def arguments(foundation: Foundation, name: str, config: Monitor) -> list[str]:
    """The call of `mlops-infra` that a run is."""
    endpoint = foundation.config.endpoints[config.endpoint]
    given = {
        "--monitor": name,
        "--endpoint": foundation.name("endpoint", config.endpoint),
        "--captures": capture_uri(foundation, config.endpoint),
        "--baseline": baseline_uri(foundation, config),
        "--report": foundation.uri("artifacts", "monitors", name),
        "--threshold": str(config.threshold),
        "--hours": str(config.window_hours),
        "--min-rows": str(config.min_rows),
        "--region": foundation.names.region,
    }
    answering = [variant.name for variant in endpoint.variants if not variant.shadow]
    return [
        *("drift", "endpoint", "--json"),
        *(word for pair in given.items() for word in pair),
        *(word for each in answering for word in ("--variant", each)),
        *(word for each in config.columns for word in ("--column", each)),
    ]
