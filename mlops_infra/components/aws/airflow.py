"""Managed Airflow (MWAA) for scheduled work in Python."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.ec2 import SecurityGroup
from pulumi_aws.mwaa import Environment, EnvironmentLoggingConfigurationArgs
from pulumi_aws.vpc import SecurityGroupEgressRule, SecurityGroupIngressRule

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import (
    RoleSpec,
    Statement,
    pass_role,
    use_key,
    write_logs,
    write_objects,
)
from mlops_infra.config.aws.airflow import AirflowConfig

TYPE = "mlops-infra:aws:Airflow"
LOGS = ("dag_processing_logs", "scheduler_logs", "task_logs", "webserver_logs", "worker_logs")


class Airflow(pulumi.ComponentResource):
    """`environment`: its address is `webserver_url`."""

    def __init__(self, foundation: Foundation, config: AirflowConfig, jobs_role: str) -> None:
        super().__init__(TYPE, "airflow", {}, ResourceOptions(parent=foundation.parent))
        name = foundation.name("mwaa", "airflow")
        role, policy = foundation.role_with_policy(_role(foundation, name, jobs_role), parent=self)
        group = self._group(foundation)
        self.environment = Environment(
            "airflow",
            name=name,
            airflow_version=config.version,
            environment_class=config.size,
            min_workers=config.min_workers,
            max_workers=config.max_workers,
            # the two numbers of this class are fixed
            schedulers=1 if config.size == "mw1.micro" else 2,
            dag_s3_path=config.dags,
            requirements_s3_path=config.requirements,
            source_bucket_arn=foundation.bucket_arn("artifacts"),
            execution_role_arn=role.arn,
            kms_key=foundation.data_key,
            logging_configuration=_logging(),
            network_configuration={
                # MWAA takes two, each in another zone
                "subnet_ids": list(foundation.network.subnet_ids[:2]),
                "security_group_ids": [group.id],
            },
            webserver_access_mode=f"{config.access.upper()}_ONLY",
            # statistics of use are Airflow's only call home
            airflow_configuration_options={"usage_data_collection.enabled": "False"},
            opts=ResourceOptions(parent=self, depends_on=[policy, *foundation.ready]),
        )
        self.register_outputs({})

    def _group(self, foundation: Foundation) -> SecurityGroup:
        """Scheduler, workers and database of MWAA talk to each other, all of them to AWS."""
        below = ResourceOptions(parent=self)
        group = SecurityGroup(
            "airflow",
            name=foundation.name("security-group", "airflow"),
            description="Airflow among itself",
            vpc_id=foundation.network.vpc_id,
            opts=below,
        )
        SecurityGroupIngressRule(
            "airflow",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol="-1",
            description="Airflow among itself",
            opts=below,
        )
        SecurityGroupEgressRule(
            "airflow",
            security_group_id=group.id,
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            description="Services of AWS",
            opts=below,
        )
        SecurityGroupEgressRule(
            "airflow-itself",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol="-1",
            description="Airflow among itself",
            opts=below,
        )
        return group


def _logging() -> EnvironmentLoggingConfigurationArgs:
    """Every process of Airflow writes to CloudWatch."""
    level: Any = {"enabled": True, "log_level": "INFO"}
    return EnvironmentLoggingConfigurationArgs(**dict.fromkeys(LOGS, level))


def _role(foundation: Foundation, name: str, jobs_role: str) -> RoleSpec:
    names = foundation.names
    logs = names.arn("logs", f"log-group:airflow-{name}-*")
    # the queue of the workers is in an account of AWS
    queues = f"arn:{names.partition}:sqs:{names.region}:*:airflow-celery-*"
    pipelines = names.arn("sagemaker", f"pipeline/{names.base}-*")
    jobs = names.arn("glue", f"job/{names.base}-*")
    statements: tuple[Statement, ...] = (
        *write_objects("Dags", foundation.bucket_arn("artifacts")),
        use_key("Keys", foundation.data_key),
        Statement(
            "LogGroups",
            ("logs:CreateLogGroup", "logs:GetLogEvents", "logs:GetLogRecord"),
            (f"{logs}:*",),
        ),
        write_logs("Logs", logs),
        Statement("Groups", ("logs:DescribeLogGroups", "s3:GetAccountPublicAccessBlock"), ("*",)),
        Statement("Queues", _QUEUES, (queues,)),
        Statement("Metrics", ("cloudwatch:PutMetricData",), ("*",)),
        Statement(
            "Health",
            ("airflow:PublishMetrics",),
            (names.arn("airflow", f"environment/{name}"),),
        ),
        Statement(
            "Pipelines",
            ("sagemaker:DescribePipelineExecution", "sagemaker:StartPipelineExecution"),
            (pipelines, f"{pipelines}/execution/*"),
        ),
        Statement("Jobs", ("glue:GetJobRun", "glue:StartJobRun"), (jobs,)),
        pass_role("PassJobs", [jobs_role], "sagemaker"),
    )
    return RoleSpec("airflow", "airflow-env", statements)


_QUEUES = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
)


def build_airflow(foundation: Foundation, *, jobs_role: str) -> dict[str, Any]:
    """Declare the environment, if any; its address for the outputs."""
    config = foundation.config.airflow
    if config is None:
        return {}
    made = Airflow(foundation, config, jobs_role)
    return {"airflow_url": pulumi.Output.concat("https://", made.environment.webserver_url)}
