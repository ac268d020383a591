"""Steps of a SageMaker pipeline: process, train, judge, register, refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_infra.sagemaker import CHANNEL, RUN, copied_in, copied_out, joined

ENTRYPOINT = "mlops-infra"
"""Program of the runtime image; every step is one call of it."""
VOLUME_GB = 30
"""Disk of a job: the image has 2 GB, tables of the kit's own steps stay in memory."""
LONGEST_SECONDS = 4 * 3600
RETRIES = [
    {
        "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        "IntervalSeconds": 5,
        "BackoffRate": 3.0,
        "MaxAttempts": 3,
    },
    {
        "ExceptionType": ["SageMaker.CAPACITY_ERROR"],
        "IntervalSeconds": 60,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    },
]
"""Faults of the service are tried again, those of the step are not."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where jobs run. Each value is text, a reference, or an output that becomes text.

    Args:
        image: URI of the runtime image.
        role: ARN of the role of jobs.
        bucket: name of the bucket that steps hand files over in.
        instance: type, for example `ml.m5.large`.
        key: ARN of the KMS key of volumes and outputs.
        subnets: ids of private subnets.
        groups: ids of security groups.
    """

    image: Any
    role: Any
    bucket: Any
    instance: Any
    key: Any
    subnets: Sequence[Any]
    groups: Sequence[Any]

    def folder(self, pipeline: str, step: str, name: str) -> dict[str, Any]:
        """S3 folder of an output of a step in one run."""
        return joined("/", "s3:/", self.bucket, "pipelines", pipeline, RUN, step, name)

    @property
    def network(self) -> dict[str, Any]:
        """Which network a job sees."""
        return {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.groups)}

    @property
    def cluster(self) -> dict[str, Any]:
        """The machines of a job."""
        return {
            "InstanceType": self.instance,
            "InstanceCount": 1,
            "VolumeSizeInGB": VOLUME_GB,
            "VolumeKmsKeyId": self.key,
        }


def processing(
    name: str,
    machine: Machine,
    *,
    pipeline: str,
    arguments: Sequence[Any],
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    properties: Mapping[str, tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """A processing job that calls the runtime image.

    Args:
        name: of the step.
        machine: where it runs.
        pipeline: whose step it is, for the place of its outputs.
        arguments: of the program.
        inputs: S3 place by name.
        outputs: names of folders that are copied out.
        properties: JSON files that conditions look into: name to output and file.
    """
    step: dict[str, Any] = {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "AppSpecification": {
                "ImageUri": machine.image,
                "ContainerEntrypoint": [ENTRYPOINT],
                "ContainerArguments": list(arguments),
            },
            "ProcessingInputs": [copied_in(key, uri) for key, uri in inputs.items()],
            "ProcessingOutputConfig": {
                "KmsKeyId": machine.key,
                "Outputs": [copied_out(o, machine.folder(pipeline, name, o)) for o in outputs],
            },
            "ProcessingResources": {"ClusterConfig": machine.cluster},
            "NetworkConfig": {
                "EnableNetworkIsolation": True,
                "EnableInterContainerTrafficEncryption": True,
                "VpcConfig": machine.network,
            },
            "RoleArn": machine.role,
            "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_SECONDS},
        },
        "RetryPolicies": RETRIES,
    }
    if properties:
        step["PropertyFiles"] = [
            {"PropertyFileName": key, "OutputName": output, "FilePath": file}
            for key, (output, file) in properties.items()
        ]
    return step


def training(
    name: str,
    machine: Machine,
    *,
    pipeline: str,
    arguments: Sequence[Any],
    channels: Mapping[str, Any],
) -> dict[str, Any]:
    """A training job that calls the runtime image; the model becomes `model.tar.gz` in S3."""
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {
                "TrainingImage": machine.image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": [ENTRYPOINT],
                "ContainerArguments": list(arguments),
            },
            "InputDataConfig": [
                {
                    "ChannelName": key,
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": uri,
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                }
                for key, uri in channels.items()
            ],
            "OutputDataConfig": {
                "S3OutputPath": joined("/", "s3:/", machine.bucket, "models", pipeline),
                "KmsKeyId": machine.key,
            },
            "ResourceConfig": machine.cluster,
            "VpcConfig": machine.network,
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
            "RoleArn": machine.role,
            "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_SECONDS},
        },
        "RetryPolicies": RETRIES,
    }


def channel_file(channel: str, file: str) -> str:
    """Path of a file of a channel in the training container."""
    return f"{CHANNEL}/{channel}/{file}"


def condition(
    name: str,
    *,
    kind: str,
    left: Any,
    right: Any,
    then: Sequence[dict[str, Any]],
    otherwise: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """One comparison of two numbers that decides which steps run.

    Args:
        name: of the step.
        kind: `GreaterThanOrEqualTo` or `LessThanOrEqualTo`.
        left: what is compared.
        right: with what.
        then: steps where it holds.
        otherwise: steps where it does not.
    """
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": kind, "LeftValue": left, "RightValue": right}],
            "IfSteps": list(then),
            "ElseSteps": list(otherwise),
        },
    }


def fail(name: str, message: Any) -> dict[str, Any]:
    """Ends the run as failed and says why."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}
