"""Stops what is at work: crawlers, ETL runs, pipeline executions, jobs. The second part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlops_infra.aws import Cloud
from mlops_infra.aws.faults import NotThere, ServiceRefused
from mlops_infra.aws.waiting import PATIENCE, wait
from mlops_infra.progress import Step
from mlops_infra.teardown.aws.scope import Scope

_GLUE_ACTIVE = frozenset({"STARTING", "RUNNING", "WAITING", "STOPPING"})
_ALREADY = frozenset({"CrawlerNotRunningException", "CrawlerStoppingException"})
_OVER = frozenset({"ValidationException"})
"""What SageMaker says of a job that ended between being listed and being stopped."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """How one kind of SageMaker job is listed and stopped."""

    what: str
    list: str
    key: str
    stop: str
    describe: str
    name: str
    arn: str
    status: str


def _kind(word: str, camel: str, summaries: str) -> JobKind:
    name = f"{camel}JobName"
    return JobKind(
        f"{word} job", f"list_{word}_jobs", summaries, f"stop_{word}_job",
        f"describe_{word}_job", name, f"{camel}JobArn", f"{camel}JobStatus",
    )  # fmt: skip


JOBS = (
    JobKind(
        "tuning job",
        "list_hyper_parameter_tuning_jobs",
        "HyperParameterTuningJobSummaries",
        "stop_hyper_parameter_tuning_job",
        "describe_hyper_parameter_tuning_job",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
    ),
    _kind("training", "Training", "TrainingJobSummaries"),
    _kind("processing", "Processing", "ProcessingJobSummaries"),
    _kind("transform", "Transform", "TransformJobSummaries"),
)
"""Tuning first: it would start another training job for each that is stopped."""


def crawlers(cloud: Cloud, scope: Scope, work: Step, *, patience: float = PATIENCE) -> list[str]:
    """Stop crawlers and wait until they are READY: Glue deletes no running one.

    Returns:
        Those that still run when patience ends, as text.
    """
    names = [
        each["Name"]
        for each in cloud.pages("glue", "get_crawlers", "Crawlers")
        if scope.named(each["Name"]) and each.get("State", "READY") != "READY"
    ]
    for name in names:
        work.note(f"crawler {name}")
        try:
            cloud.find("glue", "stop_crawler", Name=name)
        except ServiceRefused as error:
            if error.code not in _ALREADY:
                raise
        work.advance()

    def pending() -> list[str]:
        told = ((name, cloud.find("glue", "get_crawler", Name=name)) for name in names)
        return [name for name, each in told if each and each["Crawler"]["State"] != "READY"]

    return [f"crawler {name} does not stop" for name in wait(pending, work, patience=patience)]


def glue_runs(cloud: Cloud, scope: Scope, work: Step, *, patience: float = PATIENCE) -> list[str]:
    """Stop runs of the stack's ETL jobs."""
    jobs = [
        each["Name"]
        for each in cloud.pages("glue", "get_jobs", "Jobs")
        if scope.named(each["Name"])
    ]

    def active() -> dict[str, list[str]]:
        found = {}
        for job in jobs:
            runs = cloud.pages("glue", "get_job_runs", "JobRuns", JobName=job)
            ids = [run["Id"] for run in runs if run.get("JobRunState") in _GLUE_ACTIVE]
            if ids:
                found[job] = ids
        return found

    asked = active()
    for job, ids in asked.items():
        work.note(f"runs of {job}")
        for start in range(0, len(ids), 25):  # BatchStopJobRun takes 25
            batch = ids[start : start + 25]
            cloud.find("glue", "batch_stop_job_run", JobName=job, JobRunIds=batch)
        work.advance(len(ids))
    left = wait(active, work, patience=patience) if asked else ()
    return [f"a run of ETL job {name} does not stop" for name in left]


def executions(cloud: Cloud, scope: Scope, work: Step, *, patience: float = PATIENCE) -> list[str]:
    """Stop executions of the stack's pipelines, and with them the jobs that they started."""
    pages = cloud.pages("sagemaker", "list_pipelines", "PipelineSummaries")
    names = [each["PipelineName"] for each in pages if scope.named(each["PipelineName"])]

    def active() -> list[str]:
        return [
            each["PipelineExecutionArn"]
            for name in names
            for each in cloud.pages(
                "sagemaker",
                "list_pipeline_executions",
                "PipelineExecutionSummaries",
                PipelineName=name,
            )
            if each.get("PipelineExecutionStatus") in ("Executing", "Stopping")
        ]

    asked = active()
    for arn in asked:
        work.note(f"execution {arn.rpartition('/')[2]}")
        # the token makes a second `down` after a killed one the same request
        token = f"mlops-infra-down-{arn.rpartition('/')[2]}".ljust(32, "-")
        _tolerant_stop(
            cloud,
            "stop_pipeline_execution",
            {"PipelineExecutionArn": arn, "ClientRequestToken": token},
        )
        work.advance()
    left = wait(active, work, patience=patience) if asked else ()
    return [f"pipeline execution {arn} does not stop" for arn in left]


def jobs(cloud: Cloud, scope: Scope, work: Step, *, patience: float = PATIENCE) -> list[str]:
    """Stop jobs that carry the stack's tag or name; a pipeline gives its own tags to its jobs."""
    left: list[str] = []
    for kind in JOBS:
        found = [
            each[kind.name]
            for each in cloud.pages("sagemaker", kind.list, kind.key, StatusEquals="InProgress")
            if _ours(cloud, scope, each[kind.name], each[kind.arn])
        ]
        for name in found:
            work.note(f"{kind.what} {name}")
            _tolerant_stop(cloud, kind.stop, {kind.name: name})
            work.advance()
        stuck = wait(lambda k=kind, n=found: _active(cloud, k, n), work, patience=patience)  # type: ignore[misc]
        left += [f"{kind.what} {name} does not stop" for name in stuck]
    return left


def _ours(cloud: Cloud, scope: Scope, name: str, arn: str) -> bool:
    if scope.named(name):
        return True
    told = cloud.find("sagemaker", "list_tags", ResourceArn=arn)
    return told is not None and scope.tagged(told.get("Tags", ()))


def _active(cloud: Cloud, kind: JobKind, names: Iterable[str]) -> list[str]:
    told = ((name, cloud.find("sagemaker", kind.describe, **{kind.name: name})) for name in names)
    return [name for name, each in told if each and each[kind.status] in ("InProgress", "Stopping")]


def _tolerant_stop(cloud: Cloud, method: str, parameters: Mapping[str, str]) -> None:
    try:
        cloud.call("sagemaker", method, **parameters)
    except NotThere:
        return
    except ServiceRefused as error:
        if error.code not in _OVER:
            raise
