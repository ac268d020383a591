"""SageMaker pipelines: the kit's own training, or a definition of the project."""

from __future__ import annotations

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.sagemaker import Pipeline

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.images import runtime_image
from mlops_infra.components.aws.foundation.places import lake_uri
from mlops_infra.config.aws.models import Pipeline as PipelineConfig
from mlops_infra.config.aws.models import Training
from mlops_infra.plan.aws.sagemaker import Machine, training_pipeline
from mlops_infra.plan.named_files import definition

TYPE = "mlops-infra:aws:Pipelines"


class Pipelines(pulumi.ComponentResource):
    """`pipelines` by name."""

    def __init__(
        self,
        foundation: Foundation,
        *,
        role_arn: Output[str],
        opts: ResourceOptions,
        ready: list[pulumi.Resource],
    ) -> None:
        super().__init__(TYPE, "pipelines", {}, opts)
        self._foundation, self._role_arn, self._ready = foundation, role_arn, ready
        self.pipelines = {
            name: self._pipeline(name, config)
            for name, config in foundation.config.pipelines.items()
        }
        self.register_outputs({})

    def _pipeline(self, name: str, config: PipelineConfig) -> Pipeline:
        wanted = self._foundation.name("pipeline", name)
        return Pipeline(
            name,
            pipeline_name=wanted,
            pipeline_display_name=wanted,
            pipeline_description=f"Makes the model {name}",
            pipeline_definition=self._definition(name, config),
            parallelism_configuration={"max_parallel_execution_steps": config.parallelism},
            role_arn=self._role_arn,
            opts=ResourceOptions(parent=self, depends_on=self._ready),
        )

    def _definition(self, name: str, config: PipelineConfig) -> pulumi.Input[str]:
        if config.training is not None:
            return Output.json_dumps(self._own(name, config.training))
        assert config.definition is not None  # noqa: S101 - a rule of the configuration
        return definition(config.definition, config.parameters)

    def _own(self, name: str, config: Training) -> dict[str, object]:
        foundation = self._foundation
        machine = Machine(
            image=config.image or runtime_image(foundation, "training"),
            role=self._role_arn,
            bucket=foundation.bucket("artifacts"),
            instance=config.instance,
            key=foundation.data_key,
            subnets=foundation.network.subnet_ids,
            groups=(foundation.network.jobs_group,),
        )
        return training_pipeline(
            name,
            config,
            machine,
            data=lake_uri(foundation, config.data),
            group=foundation.name("model-group", foundation.config.registry.group),
        )
