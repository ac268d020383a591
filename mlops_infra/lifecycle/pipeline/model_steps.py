"""The built-in steps that make and measure a model: `train` and `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra.lifecycle import tabular
from mlops_infra.lifecycle.pipeline.job import Job
from mlops_infra.lifecycle.pipeline.standard import task_of


def train(job: Job) -> Mapping[str, Any]:
    """Fit the model that the parameters describe."""
    model = tabular.fit(
        job.load("seen"),
        job.text("target"),
        task=task_of(job.pipeline),
        algorithm=job.text("algorithm"),
        hyper=tabular.hyperparameters(job.text("hyperparameters")),
        seed=job.whole("seed"),
    )
    return {"model": model}


def evaluate(job: Job) -> Mapping[str, Any]:
    """Measure the model on rows that it has not seen."""
    task = task_of(job.pipeline)
    target = job.text("target")
    return {"metrics": tabular.measure(job.load("model"), job.load("unseen"), target, task=task)}
