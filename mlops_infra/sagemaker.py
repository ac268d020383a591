"""The JSON of SageMaker's pipelines: references, joined texts, places in a container."""

from __future__ import annotations

from typing import Any

VERSION = "2020-12-01"
"""Of the schema of definitions; SageMaker has one."""
INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
"""Where a processing job has the folders that SageMaker copies from and to S3."""
CHANNEL, MODEL = "/opt/ml/input/data", "/opt/ml/model"
"""Where a training job has its channels, and where it leaves the model."""
FILE = "data"
"""Name of the one file in the folder of an input or output: SageMaker moves folders."""
SIGNATURE = "signature.json"
"""Beside the model in its folder."""
ARCHIVE = "model.tar.gz"
"""What SageMaker packs the folder of the model into."""
RUN = {"Get": "Execution.PipelineExecutionId"}


def parameter(name: str) -> dict[str, str]:
    """The value of a pipeline's parameter in this run."""
    return {"Get": f"Parameters.{name}"}


def joined(on: str, *values: Any) -> dict[str, Any]:
    """Text that SageMaker puts together when it runs."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def output_of(step: str, name: str) -> dict[str, str]:
    """S3 folder of an output of a processing step."""
    found = f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"
    return {"Get": found}


def model_of(step: str) -> dict[str, str]:
    """S3 object of the model that a training step made."""
    return {"Get": f"Steps.{step}.ModelArtifacts.S3ModelArtifacts"}


def metric_of(step: str, file: str, path: str) -> dict[str, Any]:
    """A number in a JSON file that a processing step wrote and declares as a property file."""
    return {
        "Std:JsonGet": {"PropertyFile": {"Get": f"Steps.{step}.PropertyFiles.{file}"}, "Path": path}
    }


def copied_in(name: str, uri: Any) -> dict[str, Any]:
    """An input of a processing job: a folder of S3 that is there as files."""
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{INPUT}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def copied_out(name: str, uri: Any) -> dict[str, Any]:
    """An output of a processing job: a folder that is copied to S3 when the job has ended."""
    return {
        "OutputName": name,
        "AppManaged": False,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": f"{OUTPUT}/{name}",
            "S3UploadMode": "EndOfJob",
        },
    }
