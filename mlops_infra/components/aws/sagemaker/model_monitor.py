"""SageMaker's own monitors: what an endpoint sees is held against what its model was trained on.

AWS closed Model Monitor to accounts that had not used it before ("Amazon SageMaker Model Monitor
availability change" in the developer guide): a new account is refused at `up`. So a monitor is one
of these only where it says `by: modelMonitor`; the others are in `watching`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi import Output, ResourceOptions
from pulumi_aws.cloudwatch import MetricAlarm
from pulumi_aws.sagemaker import DataQualityJobDefinition, MonitoringSchedule

from mlops_infra.components.aws.cloudwatch.alarms import Alarms
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.places import baseline_uri
from mlops_infra.components.aws.sagemaker.endpoints import Serving
from mlops_infra.components.aws.sagemaker.kit_monitor import Watching
from mlops_infra.components.aws.sagemaker.models import digest
from mlops_infra.config.aws.models import Monitor
from mlops_infra.errors import InputError

TYPE = "mlops-infra:aws:Monitoring"
NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
"""Where SageMaker puts the distance of each column from its baseline."""
_ACCOUNTS = Path(__file__).with_name("analyzers.yaml")


class Monitoring(pulumi.ComponentResource):
    """`alarms`: name of the drift alarm by monitor, for triggers."""

    def __init__(
        self,
        foundation: Foundation,
        monitors: dict[str, Monitor],
        serving: Serving,
        alarms: Alarms,
        *,
        role_arn: Output[str],
        ready: list[pulumi.Resource],
    ) -> None:
        super().__init__(TYPE, "monitoring", {}, ResourceOptions(parent=foundation.parent))
        self._foundation, self._serving, self._topic = foundation, serving, alarms.topic
        self._role_arn, self._ready = role_arn, ready
        self.alarms: dict[str, MetricAlarm] = {}
        for name, config in monitors.items():
            self._monitor(name, config)
        self.register_outputs({})

    def _monitor(self, name: str, config: Monitor) -> None:
        definition = self._definition(name, config)
        schedule = MonitoringSchedule(
            name,
            name=self._foundation.name("monitor", name),
            monitoring_schedule_config={
                "monitoring_job_definition_name": definition.name,
                "monitoring_type": "DataQuality",
                "schedule_config": {"schedule_expression": config.schedule},
            },
            opts=ResourceOptions(parent=self),
        )
        if config.columns:
            self.alarms[name] = self._alarm(name, config, schedule)

    def _definition(self, name: str, config: Monitor) -> DataQualityJobDefinition:
        foundation = self._foundation
        baseline = baseline_uri(foundation, config)
        # a definition cannot be changed: a new content is a new definition
        content = [config.model_dump(mode="json", exclude={"columns", "threshold"}), baseline]
        return DataQualityJobDefinition(
            name,
            name=foundation.name("monitor", f"{name}-{digest(content)}"),
            role_arn=self._role_arn,
            data_quality_app_specification={
                "image_uri": analyzer(foundation),
                "environment": {"publish_cloudwatch_metrics": "Enabled"},
            },
            data_quality_baseline_config={
                "constraints_resource": {"s3_uri": f"{baseline}/constraints.json"},
                "statistics_resource": {"s3_uri": f"{baseline}/statistics.json"},
            },
            data_quality_job_input={
                "endpoint_input": {
                    "endpoint_name": self._serving.endpoints[config.endpoint].name,
                    "local_path": "/opt/ml/processing/input/endpoint",
                    "s3_input_mode": "File",
                    "s3_data_distribution_type": "FullyReplicated",
                }
            },
            data_quality_job_output_config={
                "kms_key_id": foundation.data_key,
                "monitoring_outputs": {
                    "s3_output": {
                        "s3_uri": foundation.uri("artifacts", "monitors", name),
                        "local_path": "/opt/ml/processing/output",
                        "s3_upload_mode": "EndOfJob",
                    }
                },
            },
            job_resources={
                "cluster_config": {
                    "instance_count": 1,
                    "instance_type": config.instance,
                    "volume_size_in_gb": 20,
                    "volume_kms_key_id": foundation.data_key,
                }
            },
            network_config={
                # the analyzer puts its metrics to CloudWatch: isolation would silence it
                "enable_network_isolation": False,
                "enable_inter_container_traffic_encryption": True,
                "vpc_config": {
                    "subnets": list(foundation.network.subnet_ids),
                    "security_group_ids": [foundation.network.jobs_group],
                },
            },
            stopping_condition={"max_runtime_in_seconds": 3_300},
            opts=ResourceOptions(parent=self, depends_on=self._ready),
        )

    def _alarm(self, name: str, config: Monitor, schedule: MonitoringSchedule) -> MetricAlarm:
        """The largest distance of the watched columns."""
        dimensions = {
            "Endpoint": self._foundation.name("endpoint", config.endpoint),
            "MonitoringSchedule": self._foundation.name("monitor", name),
        }
        columns: list[Any] = [
            {
                "id": f"column{index}",
                "return_data": False,
                "metric": {
                    "namespace": NAMESPACE,
                    "metric_name": f"feature_baseline_drift_{column}",
                    "stat": "Maximum",
                    "period": 3_600,
                    "dimensions": dimensions,
                },
            }
            for index, column in enumerate(config.columns)
        ]
        largest: Any = {
            "id": "largest",
            "expression": "MAX(METRICS())",
            "label": "largest distance",
            "return_data": True,
        }
        return MetricAlarm(
            f"{name}-drift",
            name=self._foundation.name("alarm", f"{name}-drift"),
            alarm_description=f"Requests of {config.endpoint} are unlike the training data",
            comparison_operator="GreaterThanThreshold",
            threshold=config.threshold,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            metric_queries=[*columns, largest],
            alarm_actions=[self._topic.arn],
            opts=ResourceOptions(parent=self, depends_on=[schedule]),
        )


def analyzer(foundation: Foundation) -> str:
    """The image that compares.

    Raises:
        InputError: it is not offered in this region.
    """
    names = foundation.names
    accounts: dict[str, str] = yaml.safe_load(_ACCOUNTS.read_text("utf-8"))
    account = accounts.get(names.region)
    if account is None:
        raise InputError(
            f"SageMaker's analyzer is not known to be offered in {names.region}",
            where="aws.monitors",
            hint=f"regions: {', '.join(sorted(accounts))}",
        )
    host = f"{account}.dkr.ecr.{names.region}.{names.dns_suffix}"
    return f"{host}/sagemaker-model-monitor-analyzer"


def build_monitors(
    foundation: Foundation,
    serving: Serving,
    alarms: Alarms,
    *,
    role_arn: Output[str],
    ready: list[pulumi.Resource],
) -> None:
    """Declare the monitors of endpoints that stand, the kit's and SageMaker's."""
    standing = {
        name: config
        for name, config in foundation.config.monitors.items()
        if config.endpoint in serving.endpoints
    }
    own = {name: config for name, config in standing.items() if config.by == "kit"}
    others = {name: config for name, config in standing.items() if config.by == "modelMonitor"}
    if own:
        watched = [serving.endpoints[config.endpoint] for config in own.values()]
        Watching(foundation, own, alarms, ready=[*ready, *watched])
    if others:
        Monitoring(foundation, others, serving, alarms, role_arn=role_arn, ready=ready)
