"""The kit's own training pipeline: validate, divide, train, evaluate, judge, register.

Every step calls `mlops-infra step`, the same program that Argo and Kubeflow Pipelines call; a test
in the lifecycle's room runs the whole definition.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mlops_infra.config.aws.models import Training
from mlops_infra.plan.aws.sagemaker.registering import registering
from mlops_infra.plan.aws.sagemaker.steps import (
    Machine,
    channel_file,
    condition,
    fail,
    processing,
    training,
)
from mlops_infra.sagemaker import (
    ARCHIVE,
    FILE,
    INPUT,
    MODEL,
    OUTPUT,
    RUN,
    SIGNATURE,
    VERSION,
    copied_out,
    joined,
    metric_of,
    model_of,
    output_of,
    parameter,
)

LESS_IS_BETTER = frozenset({"log_loss", "mae", "rmse"})
"""Metrics that count mistakes."""
BASELINE = "baseline"
TEST_SIZE, SEED = "0.3", "7"


def training_pipeline(
    name: str, settings: Training, machine: Machine, *, data: Any, group: str
) -> dict[str, Any]:
    """The definition; `json.dumps` of it is what CreatePipeline takes.

    Args:
        name: of the pipeline, for the places of its files.
        settings: what it does.
        machine: where; its image and instance become defaults of parameters.
        data: S3 place of the table, the default of parameter `Data`.
        group: name of the model package group that models go to.
    """
    own = Machine(
        image=parameter("Image"),
        role=machine.role,
        bucket=machine.bucket,
        instance=parameter("InstanceType"),
        key=machine.key,
        subnets=machine.subnets,
        groups=machine.groups,
    )
    made = _Steps(name, f"tabular-{settings.task}", settings, own)
    return {
        "Version": VERSION,
        "Metadata": {"mlops-infra.pipeline": name},
        "Parameters": _parameters(settings, machine, data),
        # runs are recorded in the tracking server, not in SageMaker Experiments
        "PipelineExperimentConfig": None,
        "Steps": [
            made.validate(),
            made.features(),
            made.baseline(),
            made.train(),
            made.evaluate(),
            made.judge(group),
        ],
    }


def current_baseline(machine: Machine, name: str) -> dict[str, Any]:
    """S3 folder of the baseline of the newest good model of pipeline `name`."""
    return joined("/", "s3:/", machine.bucket, "baselines", name)


def _parameters(settings: Training, machine: Machine, data: Any) -> list[dict[str, Any]]:
    texts = {
        "Data": data,
        "Target": settings.target,
        "Ignore": ",".join(settings.ignore),
        "Algorithm": settings.algorithm,
        "Hyperparameters": json.dumps(settings.hyperparameters, sort_keys=True),
        "Approval": "Approved" if settings.approve else "PendingManualApproval",
        "Image": machine.image,
        "InstanceType": machine.instance,
    }
    threshold = {"Name": "Threshold", "Type": "Float", "DefaultValue": settings.threshold}
    return [
        *({"Name": key, "Type": "String", "DefaultValue": text} for key, text in texts.items()),
        threshold,
    ]


class _Steps:
    """The steps of one pipeline, each a call of the runtime image."""

    def __init__(self, name: str, program: str, settings: Training, machine: Machine) -> None:
        self._name, self._program = name, f"{program}-sagemaker"
        self._settings, self._machine = settings, machine

    def validate(self) -> dict[str, Any]:
        """Hold the data against its schema."""
        said = (
            *("-p", f"data={INPUT}/table/", "-p", _given("target", "Target"), "-p", "schema="),
            *("-p", _given("ignore", "Ignore")),
        )
        outputs = ("table", "facts", "schema")
        return self._processing("validate", said, {"table": parameter("Data")}, outputs, reads=())

    def features(self) -> dict[str, Any]:
        """Divide the rows."""
        said = ("-p", _given("target", "Target"), *_fixed(test_size=TEST_SIZE, seed=SEED))
        given = {"table": output_of("validate", "table")}
        return self._processing("features", said, given, ("seen", "unseen"))

    def baseline(self, name: str = BASELINE, place: Any = None) -> dict[str, Any]:
        """What a monitor holds later requests against; in the run's folder or at `place`."""
        said = ("-p", _given("target", "Target"))
        given = {"seen": output_of("features", "seen")}
        names = {"statistics": "statistics.json", "constraints": "constraints.json"}
        outs = [
            w for o, file in names.items() for w in ("--out", f"{o}={OUTPUT}/{BASELINE}/{file}")
        ]
        arguments = [*self._call("baseline", "tabular-baseline"), *said, *_ins(given, FILE), *outs]
        made = processing(
            name,
            self._machine,
            pipeline=self._name,
            arguments=arguments,
            inputs=given,
            outputs=(BASELINE,),
        )
        if place is not None:
            made["Arguments"]["ProcessingOutputConfig"]["Outputs"] = [copied_out(BASELINE, place)]
        return made

    def train(self) -> dict[str, Any]:
        """Fit the model."""
        said = (
            *("-p", _given("target", "Target"), *_fixed(seed=SEED)),
            *("-p", _given("algorithm", "Algorithm")),
            *("-p", _given("hyperparameters", "Hyperparameters")),
            *("--in", f"seen={channel_file('seen', FILE)}", "--out", f"model={MODEL}/{FILE}"),
            # packed beside the model: what the endpoint holds requests against
            *("--out", f"signature={MODEL}/{SIGNATURE}"),
        )
        return training(
            "train",
            self._machine,
            pipeline=self._name,
            arguments=[*self._call("train"), *said],
            channels={"seen": output_of("features", "seen")},
        )

    def evaluate(self) -> dict[str, Any]:
        """Measure the model on rows it has not seen."""
        said = (
            *("-p", _given("target", "Target")),
            *("--in", f"model={INPUT}/model/{ARCHIVE}", "--in", f"unseen={INPUT}/unseen/{FILE}"),
        )
        given = {"model": model_of("train"), "unseen": output_of("features", "unseen")}
        made = self._processing("evaluate", said, given, ("metrics",), reads=())
        made["PropertyFiles"] = [
            {"PropertyFileName": "metrics", "OutputName": "metrics", "FilePath": FILE}
        ]
        return made

    def judge(self, group: str) -> dict[str, Any]:
        """Register the model where it is good enough."""
        metric = self._settings.metric
        found = metric_of("evaluate", "metrics", metric)
        register = registering(
            "register",
            group=group,
            image=self._machine.image,
            model=model_of("train"),
            metrics=output_of("evaluate", "metrics"),
            baseline=output_of(BASELINE, BASELINE),
            approval=parameter("Approval"),
            instances=(self._settings.instance,),
        )
        told = joined(" ", metric, "is not as good as", parameter("Threshold"))
        return condition(
            "judge",
            kind="LessThanOrEqualTo" if metric in LESS_IS_BETTER else "GreaterThanOrEqualTo",
            left=found,
            right=parameter("Threshold"),
            # where monitors look: the baseline of the newest model that was good enough
            then=[register, self.baseline("publish", current_baseline(self._machine, self._name))],
            otherwise=[fail("refuse", told)],
        )

    def _processing(
        self,
        step: str,
        said: Sequence[Any],
        given: dict[str, Any],
        outputs: Sequence[str],
        *,
        reads: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        read = given if reads is None else {name: given[name] for name in reads}
        outs = [word for o in outputs for word in ("--out", f"{o}={OUTPUT}/{o}/{FILE}")]
        return processing(
            step,
            self._machine,
            pipeline=self._name,
            arguments=[*self._call(step), *said, *_ins(read, FILE), *outs],
            inputs=given,
            outputs=outputs,
        )

    def _call(self, step: str, program: str | None = None) -> list[Any]:
        return ["step", step, "--pipeline", program or self._program, "--step", step, "--run", RUN]


def _given(name: str, wanted: str) -> dict[str, Any]:
    return joined("=", name, parameter(wanted))


def _fixed(**values: str) -> list[str]:
    return [word for name, value in values.items() for word in ("-p", f"{name}={value}")]


def _ins(given: dict[str, Any], file: str) -> list[str]:
    return [word for name in given for word in ("--in", f"{name}={INPUT}/{name}/{file}")]
