"""Says a pipeline as the JSON of SageMaker Pipelines (schema 2020-12-01).

Every step is a processing job of the runtime image. SageMaker copies the inputs from S3 into the
container and the outputs back, so a step reads and writes files there as anywhere else. Written
without the `sagemaker` SDK: 998 MB and 136 packages for one JSON document.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition import quantities
from mlops_infra.lifecycle.pipeline.definition.arguments import encoded
from mlops_infra.lifecycle.pipeline.definition.model import Kind, Parameter, Pipeline, Step, Value
from mlops_infra.lifecycle.pipeline.engines.invocation import PROGRAM, arguments
from mlops_infra.sagemaker import (
    FILE,
    INPUT,
    OUTPUT,
    RUN,
    VERSION,
    copied_in,
    copied_out,
    joined,
    output_of,
)

OWN = ("Image", "Role", "Bucket", "InstanceType", "KmsKey", "TrackingServer")
"""Parameters of ours beside those of the pipeline: what only an account knows."""
LONGEST_ARGUMENT = 256
"""Letters of one argument of a processing container, says the API."""
LONGEST_RUN = 432000
"""Seconds that a processing job may be given."""
_TYPES: dict[Kind, str] = {
    "str": "String",
    "int": "Integer",
    "float": "Float",
    "bool": "Boolean",
}


class SageMakerWords:
    """SageMaker's references: an argument is a text, or an object that makes one."""

    def text(self, text: str) -> Any:
        """A fixed word."""
        return text

    def parameter(self, name: str) -> Any:
        """`name=<the pipeline's parameter>`."""
        return joined("=", name, {"Get": f"Parameters.{name}"})

    def input(self, step: Step, name: str) -> Any:  # noqa: ARG002 - other engines need the step
        """`name=<file that was copied here>`."""
        return f"{name}={INPUT}/{name}/{FILE}"

    def output(self, step: Step, name: str) -> Any:  # noqa: ARG002
        """`name=<file that will be copied back>`."""
        return f"{name}={OUTPUT}/{name}/{FILE}"

    def run(self) -> Any:
        """The id of the execution."""
        return RUN


def definition(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    *,
    image: str | None = None,
    code: str | None = None,
    instance: str = "ml.m5.large",
) -> dict[str, Any]:
    """The pipeline's definition; `json.dumps` of it is what CreatePipeline takes.

    Args:
        pipeline: what to say.
        values: the defaults of its parameters.
        image: default of parameter `Image`: the runtime image in the account's registry.
        code: object that holds the person's code, where the pipeline has any.
        instance: default of parameter `InstanceType`.

    Raises:
        InputError: a parameter has a name of ours, a value is too long, or code has no place.
    """
    _check(pipeline, values, code)
    return {
        "Version": VERSION,
        "Metadata": {"mlops-infra.pipeline": pipeline.name},
        "Parameters": [
            *(_parameter(each, values[each.name]) for each in pipeline.parameters),
            *_own_parameters(image, instance),
        ],
        "PipelineExperimentConfig": {
            "ExperimentName": {"Get": "Execution.PipelineName"},
            "TrialName": RUN,
        },
        "Steps": [_step(pipeline, step, code) for step in pipeline.steps],
    }


def _check(pipeline: Pipeline, values: Mapping[str, Value], code: str | None) -> None:
    if pipeline.code is not None and code is None:
        raise InputError("SageMaker needs the code as an object", hint="add --code s3://BUCKET/KEY")
    for step in pipeline.steps:
        if step.timeout_seconds > LONGEST_RUN:
            raise InputError(
                f"step '{step.name}' may run for {step.timeout_seconds} s",
                hint=f"SageMaker's maximum is {LONGEST_RUN} s: @step(timeout_seconds=...)",
            )
    for parameter in pipeline.parameters:
        if parameter.name in OWN:
            raise InputError(f"'{parameter.name}' is a reserved parameter: rename yours")
        if len(encoded(values[parameter.name])) + len(parameter.name) >= LONGEST_ARGUMENT:
            raise InputError(
                f"the value of '{parameter.name}' is too long for SageMaker",
                hint=f"name and value together have at most {LONGEST_ARGUMENT - 1} letters",
            )


def _parameter(parameter: Parameter, value: Value) -> dict[str, Any]:
    return {"Name": parameter.name, "Type": _TYPES[parameter.kind], "DefaultValue": _default(value)}


def _default(value: Value) -> Value:
    return encoded(value) if isinstance(value, str) else value


def _own_parameters(image: str | None, instance: str) -> list[dict[str, Any]]:
    own: dict[str, str | None] = {"Image": image, "InstanceType": instance}
    return [
        {"Name": name, "Type": "String"}
        | ({"DefaultValue": own[name]} if own.get(name) is not None else {})
        for name in OWN
    ]


def _step(pipeline: Pipeline, step: Step, code: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "Name": step.name,
        "Type": "Processing",
        "Arguments": _job(pipeline, step, code),
    }
    if step.after:
        said["DependsOn"] = list(step.after)
    if step.cached:
        said["CacheConfig"] = {"Enabled": True, "ExpireAfter": "P30D"}
    if step.retries:
        said["RetryPolicies"] = [
            {
                "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
                "IntervalSeconds": 5,
                "BackoffRate": 3.0,
                "MaxAttempts": step.retries + 1,
            }
        ]
    return said


def _job(pipeline: Pipeline, step: Step, code: str | None) -> dict[str, Any]:
    job: dict[str, Any] = {
        "AppSpecification": {
            "ImageUri": {"Get": "Parameters.Image"},
            "ContainerEntrypoint": [PROGRAM],
            "ContainerArguments": arguments(pipeline, step, SageMakerWords(), code=code),
        },
        "Environment": {
            "MLFLOW_TRACKING_URI": {"Get": "Parameters.TrackingServer"},
            contract.BUCKET_VARIABLE: {"Get": "Parameters.Bucket"},
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": {"Get": "Parameters.InstanceType"},
                "InstanceCount": 1,
                "VolumeSizeInGB": _gigabytes(step),
                "VolumeKmsKeyId": {"Get": "Parameters.KmsKey"},
            }
        },
        "RoleArn": {"Get": "Parameters.Role"},
        "StoppingCondition": {"MaxRuntimeInSeconds": step.timeout_seconds},
    }
    if step.inputs:
        job["ProcessingInputs"] = [
            copied_in(name, output_of(source.step, source.output))
            for name, source in step.inputs.items()
        ]
    if step.outputs:
        job["ProcessingOutputConfig"] = {
            "KmsKeyId": {"Get": "Parameters.KmsKey"},
            "Outputs": [copied_out(n, _place(pipeline, step, n)) for n in step.outputs],
        }
    return job


def _place(pipeline: Pipeline, step: Step, name: str) -> dict[str, Any]:
    bucket = {"Get": "Parameters.Bucket"}
    return joined("/", "s3:/", bucket, "pipelines", pipeline.name, RUN, step.name, name)


def _gigabytes(step: Step) -> int:
    """Room for inputs, outputs and the image: four times the memory, 20 GB at least."""
    return max(20, math.ceil(4 * quantities.value(step.resources.memory) / 10**9))
