"""Everything that works on the foundation, in the order of need."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import ResourceOptions

from mlops_infra.components.aws.airflow import build_airflow
from mlops_infra.components.aws.athena import build_athena
from mlops_infra.components.aws.cloudwatch.alarms import Alarms, build_alarms
from mlops_infra.components.aws.delivery.delivery import build_delivery
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.functions.front import build_fronts
from mlops_infra.components.aws.functions.triggers import build_triggers
from mlops_infra.components.aws.glue.catalogue import build_catalogue
from mlops_infra.components.aws.glue.etl import build_etl
from mlops_infra.components.aws.glue.rights import build_rights
from mlops_infra.components.aws.quicksight import build_reports
from mlops_infra.components.aws.sagemaker.batches import Batches
from mlops_infra.components.aws.sagemaker.endpoints import Serving
from mlops_infra.components.aws.sagemaker.features import Features
from mlops_infra.components.aws.sagemaker.job_role import JOBS, job_role, serving_role
from mlops_infra.components.aws.sagemaker.model_monitor import build_monitors
from mlops_infra.components.aws.sagemaker.pipelines import Pipelines
from mlops_infra.components.aws.sagemaker.registry import Registry
from mlops_infra.components.aws.streaming import build_streaming

TYPE = "mlops-infra:aws:Models"


def build_services(foundation: Foundation) -> dict[str, Any]:
    """Declare catalogue, queries, features, pipelines, endpoints, monitors, triggers and delivery.

    Returns:
        Outputs that only resources know, and `endpoint_configs`: what each endpoint shall have.

    Raises:
        MlopsError: a file that the configuration names is missing or wrong, or nobody has told
            which model is approved.
    """
    catalogue = build_catalogue(foundation)
    build_etl(foundation, catalogue)
    build_rights(foundation, catalogue)
    athena = build_athena(foundation, catalogue)
    build_reports(foundation, catalogue, athena)
    build_streaming(foundation)
    alarms = build_alarms(foundation)
    outputs = Models(foundation, alarms).outputs
    build_triggers(foundation, alarms)
    build_delivery(foundation)
    return outputs | build_airflow(foundation, jobs_role=foundation.role_arn(JOBS))


class Models(pulumi.ComponentResource):
    """From features to monitored endpoints: what shares the two roles of SageMaker."""

    def __init__(self, foundation: Foundation, alarms: Alarms) -> None:
        super().__init__(TYPE, "models", {}, ResourceOptions(parent=foundation.parent))
        below = ResourceOptions(parent=self)
        jobs, jobs_policy = job_role(foundation, parent=self)
        served, served_policy = serving_role(foundation, parent=self)
        ready: list[pulumi.Resource] = [jobs_policy, *foundation.ready]
        serves: list[pulumi.Resource] = [served_policy, *foundation.ready]
        registry = Registry(foundation, role_arn=jobs.arn, opts=below)
        Features(foundation, role_arn=jobs.arn, opts=below, ready=ready)
        Pipelines(foundation, role_arn=jobs.arn, opts=below, ready=[*ready, registry.group])
        serving = Serving(
            foundation, alarms.of_endpoint, role_arn=served.arn, opts=below, ready=serves
        )
        build_monitors(foundation, serving, alarms, role_arn=jobs.arn, ready=ready)
        if foundation.config.batches:
            Batches(foundation, alarms, role_arn=served.arn, ready=serves)
        fronts = build_fronts(foundation)
        self.outputs: dict[str, Any] = {"endpoint_configs": serving.wanted}
        if registry.tracking is not None:
            self.outputs["tracking_uri"] = registry.tracking
        if fronts is not None:
            self.outputs["fronts"] = fronts.addresses
        self.register_outputs({})
