"""Endpoints: models, configuration, roll-out that takes itself back, scaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.appautoscaling import Policy, Target
from pulumi_aws.cloudwatch import MetricAlarm
from pulumi_aws.sagemaker import Endpoint, EndpointDeploymentConfigArgsDict

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.sagemaker.endpoint_configuration import (
    configuration_name,
    endpoint_configuration,
)
from mlops_infra.components.aws.sagemaker.models import container, model
from mlops_infra.config.aws.models import Deployment, Scaling
from mlops_infra.config.aws.models import Endpoint as EndpointConfig

TYPE = "mlops-infra:aws:Serving"
OLD_FLEET_SECONDS = 300
"""How long the old machines stay after all traffic has moved."""
LONGEST_SECONDS = 14_400
"""SageMaker gives a roll-out four hours at most."""
COOLDOWN_IN, COOLDOWN_OUT = 600, 60
"""Seconds: more machines come quickly, fewer slowly."""


class Serving(pulumi.ComponentResource):
    """`endpoints` by name; `wanted`: the configuration that each shall have; `waiting`: why not."""

    def __init__(
        self,
        foundation: Foundation,
        alarms: Mapping[str, list[MetricAlarm]],
        *,
        role_arn: Output[str],
        opts: ResourceOptions,
        ready: list[pulumi.Resource],
    ) -> None:
        super().__init__(TYPE, "serving", {}, opts)
        self._foundation, self._role_arn, self._ready = foundation, role_arn, ready
        self.endpoints: dict[str, Endpoint] = {}
        self.wanted: dict[str, str] = {}
        self.waiting: list[str] = []
        for name, config in foundation.config.endpoints.items():
            self._endpoint(name, config, alarms.get(name, []))
        self.register_outputs({})

    def _endpoint(self, name: str, config: EndpointConfig, alarms: list[MetricAlarm]) -> None:
        foundation, below = self._foundation, ResourceOptions(parent=self)
        contents = {}
        for variant in config.variants:
            made_of = container(foundation, variant.model)
            if made_of is None:
                self.waiting.append(name)
                pulumi.log.warn(f"endpoint {name} waits for an approved model")
                return
            contents[variant.name] = made_of
        models = {
            variant: model(
                foundation,
                f"{name}-{variant}",
                made_of,
                role_arn=self._role_arn,
                parent=self,
                ready=self._ready,
            )
            for variant, made_of in contents.items()
        }
        made = endpoint_configuration(foundation, name, config, models, contents, opts=below)
        self.wanted[name] = configuration_name(foundation, name, config, contents)
        self.endpoints[name] = Endpoint(
            name,
            name=foundation.name("endpoint", name),
            endpoint_config_name=made.name,
            deployment_config=_deployment(config, alarms),
            opts=ResourceOptions(
                parent=self,
                depends_on=list(alarms),
                # a second endpoint of the same name is refused (terraform-provider-aws 40080)
                delete_before_replace=True,
            ),
        )
        if config.scaling is not None:
            for variant in config.variants:
                if not variant.shadow:
                    self._scale(name, variant.name, config, config.scaling)

    def _scale(self, name: str, variant: str, config: EndpointConfig, scaling: Scaling) -> None:
        endpoint = self.endpoints[name]
        target = Target(
            f"{name}-{variant}",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{self._foundation.name('endpoint', name)}/variant/{variant}",
            min_capacity=scaling.min,
            max_capacity=scaling.max,
            opts=ResourceOptions(parent=self, depends_on=[endpoint]),
        )
        metric: dict[str, Any] = {
            "predefined_metric_specification": {
                "predefined_metric_type": "SageMakerVariantInvocationsPerInstance"
            }
        }
        goal: float = scaling.invocations_per_instance
        if config.mode == "async":
            goal = config.queue.max_concurrency if config.queue else 4
            backlog = {
                "namespace": "AWS/SageMaker",
                "metric_name": "ApproximateBacklogSizePerInstance",
                "statistic": "Average",
                "dimensions": [
                    {
                        "name": "EndpointName",
                        "value": self._foundation.name("endpoint", name),
                    }
                ],
            }
            metric = {"customized_metric_specification": backlog}
        Policy(
            f"{name}-{variant}",
            name=self._foundation.name("policy", f"{name}-{variant}"),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration=_goal(goal, metric),
            opts=ResourceOptions(parent=self),
        )


def _deployment(
    config: EndpointConfig, alarms: list[MetricAlarm]
) -> EndpointDeploymentConfigArgsDict | None:
    """Blue and green, watched by alarms; a serverless endpoint has no machines to exchange."""
    if config.mode == "serverless":
        return None
    made: EndpointDeploymentConfigArgsDict = {
        "blue_green_update_policy": {
            "traffic_routing_configuration": _routing(config.deployment),
            "termination_wait_in_seconds": OLD_FLEET_SECONDS,
            "maximum_execution_timeout_in_seconds": LONGEST_SECONDS,
        }
    }
    if alarms:
        watched: Any = [{"alarm_name": alarm.name} for alarm in alarms]
        made["auto_rollback_configuration"] = {"alarms": watched}
    return made


def _goal(goal: float, metric: dict[str, Any]) -> Any:
    """The provider's form of a target; which metric it has depends on the mode."""
    return {
        "target_value": float(goal),
        "scale_in_cooldown": COOLDOWN_IN,
        "scale_out_cooldown": COOLDOWN_OUT,
        **metric,
    }


def _routing(deployment: Deployment) -> Any:
    """The provider's form of a strategy: its keys differ from one to the next."""
    wait = deployment.bake_minutes * 60
    size = {"type": "CAPACITY_PERCENT", "value": deployment.step_percent}
    match deployment.strategy:
        case "canary":
            return {"type": "CANARY", "wait_interval_in_seconds": wait, "canary_size": size}
        case "linear":
            return {"type": "LINEAR", "wait_interval_in_seconds": wait, "linear_step_size": size}
        case "allAtOnce":
            return {"type": "ALL_AT_ONCE", "wait_interval_in_seconds": wait}
