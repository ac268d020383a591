"""Tells Kubeflow Pipelines what a step has written, in the file that its launcher reads."""

from __future__ import annotations

import json
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.model import Source
from mlops_infra.lifecycle.pipeline.definition.places import object_of
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.execution import Ended
from mlops_infra.lifecycle.pipeline.steps.job import Job


def report(job: Job, ended: Ended, executor_input: str) -> None:
    """Write an ExecutorOutput: where each artifact is, its digest, and metrics to be shown.

    Metrics go to the tenant's bucket as well, where runs of every engine in a cluster have them:
    KFP's own API tells no places of artifacts.

    Args:
        job: the step.
        ended: what it has written.
        executor_input: what KFP puts in place of `{{$}}`: JSON that names the file to write.

    Raises:
        InputError: `executor_input` is not what KFP says.
        OperationFailed: the file cannot be written.
    """
    target, uris = _asked(executor_input, job)
    told = {
        name: {"artifacts": [{"uri": uri, "metadata": _metadata(job, ended, name)}]}
        for name, uri in uris.items()
    }
    storage.write(target, json.dumps({"artifacts": told}).encode(), job.around)
    if job.around.bucket is not None:
        for name, content in job.step.outputs.items():
            if content == "metrics":
                body = storage.read(job.outputs[name], job.around)
                place = object_of("", job.run, Source(job.step.name, name))
                storage.write(place, body, job.around)


def _asked(executor_input: str, job: Job) -> tuple[str, dict[str, str]]:
    """The file to write, and the URI of each output."""
    try:
        outputs = json.loads(executor_input)["outputs"]
        uris = {
            name: str(outputs["artifacts"][name]["artifacts"][0]["uri"])
            for name in job.step.outputs
        }
        return str(outputs["outputFile"]), uris
    except (ValueError, TypeError, LookupError) as error:
        raise InputError(
            f"not an ExecutorInput of Kubeflow Pipelines: {type(error).__name__} {error}",
            where=f"step '{job.step.name}', --kfp-executor-input",
            hint="it is filled in by the backend 2.17; compile the pipeline again",
        ) from error


def _metadata(job: Job, ended: Ended, name: str) -> dict[str, Any]:
    known: dict[str, Any] = {"sha256": ended.digests[name]}
    if job.step.outputs[name] == "metrics":
        place = job.outputs[name]
        # KFP's pages show the numbers that stand here
        known |= contents.load("metrics", storage.read(place, job.around), place)
    return known
