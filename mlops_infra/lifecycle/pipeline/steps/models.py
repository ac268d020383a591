"""The built-in steps that make and measure a model: `train` and `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.pipeline.definition import estimators
from mlops_infra.lifecycle.pipeline.definition.standard import task_of
from mlops_infra.lifecycle.pipeline.steps.job import Job

if TYPE_CHECKING:
    import pandas as pd


def train(job: Job) -> Mapping[str, Any]:
    """Fit the model that the parameters describe."""
    seen, target = job.load("seen"), job.text("target")
    model = estimators.fit(
        seen,
        target,
        task=task_of(job.pipeline),
        algorithm=job.text("algorithm"),
        hyper=estimators.hyperparameters(job.text("hyperparameters")),
        seed=job.whole("seed"),
    )
    if "signature" not in job.step.outputs:
        return {"model": model}
    return {"model": model, "signature": _signature(seen.drop(columns=[target]))}


def _signature(features: pd.DataFrame) -> dict[str, Any]:
    """Inputs as MLflow's registry would write them, for a server that has no registry."""
    import mlflow

    told = mlflow.models.infer_signature(features).to_dict()
    return {"inputs": json.loads(told["inputs"])}


def evaluate(job: Job) -> Mapping[str, Any]:
    """Measure the model on rows that it has not seen."""
    task = task_of(job.pipeline)
    target = job.text("target")
    return {"metrics": estimators.measure(job.load("model"), job.load("unseen"), target, task=task)}
