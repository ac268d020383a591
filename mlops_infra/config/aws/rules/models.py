"""Rules between keys of SageMaker: training, monitors, batches, fronts, triggers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_infra.config.aws.rules.lake import overlap
from mlops_infra.config.aws.rules.names import Broken, named
from mlops_infra.config.language.document import Path, Tree
from mlops_infra.config.language.tree import get, items, section
from mlops_infra.parameters import METRICS

TRAINING_PARAMETERS = (
    "Data", "Target", "Ignore", "Algorithm", "Hyperparameters", "Approval", "Image",
    "InstanceType", "Threshold",
)  # fmt: skip
"""Parameters of the built-in pipeline; a test compares with its definition."""
_HOURLY = re.compile(r"cron\(0 (\*|([01]?[0-9]|2[0-3])(/([01]?[0-9]|2[0-4]))?) \? \* \* \*\)")
"""CreateMonitoringSchedule: hourly, every N hours from an hour on, or once a day."""


def _pipelines(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "aws", "pipelines"):
        base: Path = ("aws", "pipelines", name)
        pipeline = section(tree, *map(str, base))
        if (pipeline.get("definition") is None) == (pipeline.get("training") is None):
            yield base, "needs exactly one of definition and training", None
        if pipeline.get("training") is not None and pipeline.get("parameters"):
            message = "only applies to a definition: a training has keys of its own"
            yield (*base, "parameters"), message, "set them under training"
        yield from _training((*base, "training"), section(pipeline, "training"))


def _training(base: Path, training: Tree) -> Iterator[Broken]:
    task = training.get("task", "classification")
    known = METRICS.get(task, ()) if isinstance(task, str) else ()
    metric = training.get("metric", "accuracy")
    if training and known and isinstance(metric, str) and metric not in known:
        message = f"task {task} does not measure '{metric}'"
        yield (*base, "metric"), message, f"one of {', '.join(known)}"
    if training.get("target") in items(training, "ignore"):
        yield (*base, "ignore"), "names the target, which is what the model learns", None


def _monitors(tree: Tree) -> Iterator[Broken]:
    pipelines = section(tree, "aws", "pipelines")
    for name in section(tree, "aws", "monitors"):
        base: Path = ("aws", "monitors", name)
        monitor = section(tree, *map(str, base))
        own, baseline = monitor.get("pipeline"), monitor.get("baseline")
        yield from named(own, pipelines, (*base, "pipeline"), "pipeline")
        if own is not None and baseline is not None:
            yield (*base, "pipeline"), "has no effect beside baseline", "remove one of the two"
        endpoint = monitor.get("endpoint")
        absent = isinstance(endpoint, str) and endpoint not in pipelines
        if own is None and baseline is None and absent:
            message = f"is missing: no pipeline '{endpoint}' makes a baseline for the endpoint"
            yield (*base, "pipeline"), message, "name a pipeline, or a folder with baseline"
        if monitor.get("by") == "modelMonitor":
            yield from _model_monitor(base, monitor)


def _model_monitor(base: Path, monitor: Tree) -> Iterator[Broken]:
    for key in ("windowHours", "minRows"):
        if monitor.get(key) is not None:
            yield (*base, key), "does not apply to SageMaker's monitor", "remove it, or set by: kit"
    schedule = monitor.get("schedule")
    if isinstance(schedule, str) and not _HOURLY.fullmatch(schedule):
        message = "SageMaker's monitor runs every hour, every few hours or once a day"
        yield (*base, "schedule"), message, "for example cron(0 6 ? * * *) or cron(0 0/6 ? * * *)"


def _batches(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "aws", "batches"):
        base: Path = ("aws", "batches", name)
        source, target = (get(tree, *map(str, base), key) for key in ("input", "output"))
        if isinstance(source, str) and isinstance(target, str) and overlap(source, target):
            message = f"'{target}' and the input, '{source}', overlap"
            yield (*base, "output"), message, "a run would score predictions: use two folders"


def _fronts(tree: Tree) -> Iterator[Broken]:
    endpoints = section(tree, "aws", "endpoints")
    for name in section(tree, "aws", "fronts"):
        base: Path = ("aws", "fronts", name)
        front = section(tree, *map(str, base))
        wanted = front.get("endpoint")
        yield from named(wanted, endpoints, (*base, "endpoint"), "endpoint")
        if isinstance(wanted, str) and get(endpoints, wanted, "mode") == "async":
            message = f"endpoint '{wanted}' answers into S3, a front waits for the answer"
            yield (*base, "endpoint"), message, "use mode realtime or serverless"
        for field in section(front, "fields"):
            yield from _bounds((*base, "fields", field), section(front, "fields", field))


def _bounds(base: Path, bounds: Tree) -> Iterator[Broken]:
    kind, low, high = (bounds.get(key) for key in ("type", "min", "max"))
    numbers = kind in ("integer", "number")
    for key in ("min", "max"):
        if bounds.get(key) is not None and not numbers:
            yield (*base, key), f"does not apply to type {kind}", "remove it"
    if bounds.get("values") and kind != "string":
        yield (*base, "values"), f"does not apply to type {kind}", "remove it"
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        yield (*base, "min"), f"{low} is more than max {high}", None


def _triggers(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "aws", "triggers"):
        base: Path = ("aws", "triggers", name)
        trigger = section(tree, *map(str, base))
        if trigger.get("marker") is not None and trigger.get("newData") is None:
            yield (*base, "marker"), "only applies to newData", "remove it"
        if trigger.get("coolDownMinutes") and not (trigger.get("newData") or trigger.get("drift")):
            yield (*base, "coolDownMinutes"), "only applies to newData and drift", "remove it"
        wanted = trigger.get("pipeline")
        if isinstance(wanted, str) and get(tree, "aws", "pipelines", wanted, "training"):
            known: Tree = dict.fromkeys(TRAINING_PARAMETERS)
            for parameter in section(trigger, "parameters"):
                what = f"parameter of pipeline '{wanted}'"
                yield from named(parameter, known, (*base, "parameters", parameter), what)


def _airflow(tree: Tree) -> Iterator[Broken]:
    airflow = section(tree, "aws", "airflow")
    low, high = airflow.get("minWorkers", 1), airflow.get("maxWorkers", 2)
    path: Path = ("aws", "airflow", "minWorkers")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield path, f"{low} is more than maxWorkers {high}", None
    if airflow.get("size") == "mw1.micro" and (low, high) != (1, 1):
        yield ("aws", "airflow", "maxWorkers"), "mw1.micro has one worker", "maxWorkers: 1"


RULES = (_pipelines, _monitors, _batches, _fronts, _triggers, _airflow)
