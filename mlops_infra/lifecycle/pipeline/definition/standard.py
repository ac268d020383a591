"""The pipelines that come with this kit: nobody has to write one to train on a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.estimators import Task
from mlops_infra.lifecycle.pipeline.definition.model import (
    Parameter,
    Pipeline,
    Resources,
    Source,
    Step,
)
from mlops_infra.parameters import PARAMETERS

_POLICY = ("metric", "min_improvement", "shadow_seconds", "canary", "canary_seconds")
_TRAINING = Resources(cpu="500m", memory="1Gi", cpu_limit="2")


def standard(name: str) -> Pipeline:
    """A pipeline by its name; raises `InputError` where there is none."""
    if name in HIDDEN:
        return HIDDEN[name]
    if name not in STANDARD:
        raise InputError(
            f"no such pipeline: '{name}'",
            hint=f"there are {', '.join(STANDARD)}; or name a .py or .ipynb file with @step in it",
        )
    return STANDARD[name]


def is_standard(name: str) -> bool:
    """Whether the kit has a pipeline of this name."""
    return name in HIDDEN or name in STANDARD


def task_of(pipeline: Pipeline) -> Task:
    """Whether the pipeline tells classes or numbers."""
    return "regression" if pipeline.name.startswith("tabular-regression") else "classification"


def _pipeline(name: str, description: str) -> Pipeline:
    parameters = tuple(Parameter(*each) for each in PARAMETERS[name])
    return Pipeline(
        name=name,
        description=description,
        parameters=parameters,
        exclusive="model",
        metrics=Source("evaluate", "metrics"),
        steps=(*_making(), *_keeping(tuple(parameter.name for parameter in parameters))),
    )


def _making() -> tuple[Step, ...]:
    """From data to a measured model; depends on nothing but data and parameters."""
    return (
        Step(
            "validate",
            "validate",
            parameters=("data", "target", "schema"),
            outputs={"table": "table", "facts": "json", "schema": "bytes"},
            retries=2,
        ),
        Step(
            "features",
            "features",
            parameters=("target", "test_size", "seed"),
            inputs={"table": Source("validate", "table")},
            outputs={"seen": "table", "unseen": "table"},
            cached=True,
        ),
        Step(
            "train",
            "train",
            parameters=("target", "seed", "algorithm", "hyperparameters"),
            inputs={"seen": Source("features", "seen")},
            outputs={"model": "model"},
            resources=_TRAINING,
            cached=True,
        ),
        Step(
            "evaluate",
            "evaluate",
            parameters=("target",),
            inputs={
                "model": Source("train", "model"),
                "unseen": Source("features", "unseen"),
            },
            outputs={"metrics": "metrics"},
            cached=True,
        ),
    )


def _keeping(every: tuple[str, ...]) -> tuple[Step, ...]:
    """What is done with the model; `every` parameter is recorded."""
    return (
        Step(
            "register",
            "register",
            parameters=every,
            inputs={
                "facts": Source("validate", "facts"),
                "metrics": Source("evaluate", "metrics"),
                "trained": Source("train", "model"),
                "rules": Source("validate", "schema"),
                "seen": Source("features", "seen"),
                "unseen": Source("features", "unseen"),
            },
            outputs={"registration": "json"},
            resources=_TRAINING,
            retries=2,
        ),
        Step(
            "promote",
            "promote",
            parameters=("promote", *_POLICY),
            timeout_seconds=4 * 3600,
            inputs={"registration": Source("register", "registration")},
            outputs={"decision": "json"},
            retries=1,
        ),
    )


STANDARD: dict[str, Pipeline] = {
    pipeline.name: pipeline
    for pipeline in (
        _pipeline(
            "tabular-classification",
            "Classification of table rows: validate, features, train, evaluate, register, promote.",
        ),
        _pipeline(
            "tabular-regression",
            "Regression on table rows: validate, features, train, evaluate, register, promote.",
        ),
    )
}

BASELINE = Pipeline(
    name="tabular-baseline",
    description="Baseline of SageMaker's monitors; part of the pipelines on AWS.",
    parameters=STANDARD["tabular-classification"].parameters,
    steps=(
        *_making()[:2],
        Step(
            "baseline",
            "baseline",
            parameters=("target",),
            inputs={"seen": Source("features", "seen")},
            outputs={"statistics": "json", "constraints": "json"},
        ),
    ),
)
"""What SageMaker's monitors need beside the model."""


def _sagemaker(pipeline: Pipeline) -> Pipeline:
    """The making of `pipeline` as SageMaker runs it: no registry keeps the signature there."""
    more: dict[str, Any] = {
        "validate": {"parameters": ("data", "target", "schema", "ignore")},
        "train": {"outputs": {"model": "model", "signature": "json"}},
    }
    making = tuple(replace(step, **more.get(step.name, {})) for step in _making())
    return Pipeline(
        name=f"{pipeline.name}-sagemaker",
        description="Part of the pipelines on AWS: the model with its signature.",
        parameters=(*pipeline.parameters, Parameter("ignore", "", "columns, separated by commas")),
        steps=making,
    )


HIDDEN: dict[str, Pipeline] = {
    pipeline.name: pipeline for pipeline in (BASELINE, *map(_sagemaker, STANDARD.values()))
}
"""Not listed: nobody starts them by themselves."""
