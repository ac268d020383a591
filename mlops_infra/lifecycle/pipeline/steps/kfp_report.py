"""Tells Kubeflow Pipelines what a step has written, in the file that its launcher reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.execution import Ended
from mlops_infra.lifecycle.pipeline.steps.job import Job


def report(job: Job, ended: Ended, uris: Mapping[str, str], target: Path) -> None:
    """Write an ExecutorOutput: where each artifact is, its digest, and metrics to be shown.

    Raises:
        OperationFailed: the file cannot be written.
    """
    told = {
        name: {"artifacts": [{"uri": uri, "metadata": _metadata(job, ended, name)}]}
        for name, uri in uris.items()
    }
    storage.write(str(target), json.dumps({"artifacts": told}).encode(), job.around)


def _metadata(job: Job, ended: Ended, name: str) -> dict[str, Any]:
    known: dict[str, Any] = {"sha256": ended.digests[name]}
    if job.step.outputs[name] == "metrics":
        place = job.outputs[name]
        # KFP's pages show the numbers that stand here
        known |= contents.load("metrics", storage.read(place, job.around), place)
    return known
