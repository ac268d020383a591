"""The model half of the aws profile: registry, pipelines, endpoints, monitors, triggers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlops_infra.config.aws.schedules import CronAlone, Schedule
from mlops_infra.config.aws.values import BucketPath, model_source
from mlops_infra.config.language.section import DnsLabel, Percent, Section

InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9]+$")]
"""For example `ml.m5.large`; `preview` checks whether the region has it."""

ModelSource = Annotated[
    str,
    Field(
        pattern=r"^(latest-approved|[1-9][0-9]{0,8}|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/\S+\.tar\.gz)$"
    ),
    AfterValidator(model_source),
]
"""Where a model comes from."""


class RegistryConfig(Section):
    """Where approved models are."""

    group: DnsLabel = "models"
    """Name of the model package group."""
    reader_accounts: tuple[Annotated[str, Field(pattern=r"^[0-9]{12}$")], ...] = ()
    """Other accounts that may deploy from it."""
    mlflow: Literal["Small", "Medium", "Large"] | None = None
    """Size of a tracking server run by SageMaker, billed by the hour (default: none)."""


class Training(Section):
    """What the kit's own pipeline does: validate, divide, train, evaluate, judge, register."""

    data: BucketPath
    """Folder or file of CSV or Parquet, for example `curated/orders`."""
    target: Annotated[str, Field(min_length=1, max_length=128)]
    """The column to predict."""
    ignore: tuple[Annotated[str, Field(pattern=r"^[^\s,]{1,60}$")], ...] = ()
    """Columns that are not inputs: keys, dates, anything that requests lack."""
    task: Literal["classification", "regression"] = "classification"
    """Classification or regression."""
    algorithm: Literal["linear", "forest", "boosting", "neighbours"] = "linear"
    """Algorithm."""
    hyperparameters: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Hyperparameters of the algorithm."""
    metric: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = "accuracy"
    """classification: accuracy, f1_macro, log_loss; regression: r2, mae, rmse."""
    threshold: float = 0.8
    """Required value of the metric; otherwise the run fails and nothing is registered."""
    approve: bool = False
    """Approve automatically; the endpoint can then deploy it at once."""
    instance: InstanceType = "ml.m5.large"
    """Instance type of every step."""
    image: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Runtime image (default: the one in the stack's repository)."""


ParameterName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9](-*[A-Za-z0-9])*$", max_length=256, examples=["Threshold"])
]
"""Name of a parameter of a SageMaker pipeline."""


class Pipeline(Section):
    """A training pipeline: the kit's own (`training`) or a definition of yours."""

    definition: Annotated[str, Field(pattern=r"^\S+\.json$")] | None = None
    """Path within the project of a definition (`mlops-infra pipeline compile` writes one)."""
    training: Training | None = None
    """Settings of the built-in pipeline."""
    parallelism: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Maximum number of parallel steps."""
    parameters: dict[ParameterName, str | int | float | bool] = Field(default_factory=dict)
    """Parameter values that differ from the definition's defaults."""


class Variant(Section):
    """One of the models behind an endpoint."""

    name: DnsLabel
    """For example `champion`."""
    model: ModelSource = "latest-approved"
    """`latest-approved`, a version of the registry's group, or `s3://.../model.tar.gz`."""
    instance: InstanceType = "ml.m5.large"
    """Instance type; not used by a serverless endpoint."""
    count: Annotated[int, Field(ge=1, le=1_000)] = 1
    """Initial number of instances; not below `scaling.min`, or an update would scale down."""
    weight: Annotated[float, Field(ge=0, le=1_000_000)] = 1.0
    """Share of the traffic against the other variants."""
    shadow: bool = False
    """Receives a copy of the traffic; its responses are discarded."""


class Scaling(Section):
    """How many machines of a variant."""

    min: Annotated[int, Field(ge=1, le=1_000)] = 1
    """At least."""
    max: Annotated[int, Field(ge=1, le=1_000)] = 2
    """At most."""
    invocations_per_instance: Annotated[int, Field(ge=1)] = 700
    """Target of scaling: requests per minute and instance."""


class Serverless(Section):
    """An endpoint without machines of its own."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory of one instance."""
    max_concurrency: Annotated[int, Field(ge=1, le=200)] = 5
    """Maximum number of concurrent requests."""


class Queue(Section):
    """An endpoint that takes requests from S3 and answers there."""

    max_concurrency: Annotated[int, Field(ge=1, le=1_000)] = 4
    """Concurrent requests per instance."""


class Deployment(Section):
    """Roll-out of a new model, and the way back."""

    strategy: Literal["canary", "linear", "allAtOnce"] = "canary"
    """Canary, linear, or all at once."""
    step_percent: Annotated[int, Field(ge=1, le=50)] = 10
    """Size of the canary or of one step (SageMaker: at most half)."""
    bake_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    """Time that alarms are watched after each step; any alarm rolls back."""


class Endpoint(Section):
    """An HTTP endpoint that serves models."""

    mode: Literal["realtime", "serverless", "async"] = "realtime"
    """Permanent instances, serverless, or a queue."""
    variants: Annotated[tuple[Variant, ...], Field(min_length=1, max_length=10)]
    """Models behind the endpoint (SageMaker: up to ten)."""
    scaling: Scaling | None = None
    """Autoscaling (default: a fixed number of instances)."""
    serverless: Serverless | None = None
    """Only with mode serverless."""
    queue: Queue | None = None
    """Only with mode async."""
    capture_percent: Percent = 0
    """Percentage of recorded requests; monitors need more than 0."""
    deployment: Deployment = Field(default_factory=Deployment)
    """Deployment of a new model."""


class BatchTransform(Section):
    """Predictions for a whole folder, on a schedule, from a folder to a folder."""

    model: ModelSource = "latest-approved"
    """`latest-approved`, a version of the registry's group, or `s3://.../model.tar.gz`."""
    input: BucketPath
    """Folder of CSV or JSON lines."""
    output: BucketPath
    """Folder of the predictions; one subfolder per run."""
    content: Literal["text/csv", "application/jsonlines"] = "text/csv"
    """Input format."""
    instance: InstanceType = "ml.m5.large"
    """Machine."""
    count: Annotated[int, Field(ge=1, le=100)] = 1
    """How many."""
    schedule: Schedule
    """When."""


class Monitor(Section):
    """Compares what an endpoint sees with what the model was trained on."""

    endpoint: DnsLabel
    """Name under `endpoints`."""
    kind: Literal["dataQuality"] = "dataQuality"
    """What is monitored; Pulumi's AWS provider has no resource for model quality and bias."""
    by: Literal["kit", "modelMonitor"] = "kit"
    """A job of mlops-infra, or SageMaker Model Monitor, which is closed to new customers."""
    baseline: BucketPath | None = None
    """Folder of statistics.json and constraints.json (default: that of `pipeline`)."""
    pipeline: DnsLabel | None = None
    """Name under `pipelines` that creates the baseline (default: the endpoint's name)."""
    columns: Annotated[
        tuple[Annotated[str, Field(pattern=r"^\S{1,200}$")], ...], Field(max_length=9)
    ] = ()
    """Columns whose drift raises the alarm, at most nine (default with `mlops-infra`: all)."""
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Distance to the baseline that raises the alarm."""
    window_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """Period that a run examines; SageMaker's monitor examines what is new since the last run."""
    min_rows: Annotated[int, Field(ge=1, le=20_000)] = 50
    """Minimum number of rows in the period; not for SageMaker's monitor."""
    schedule: CronAlone = "cron(0 * ? * * *)"
    """Schedule; each run is billed. SageMaker's monitor: at most hourly."""
    instance: InstanceType = "ml.m5.xlarge"
    """Instance type of a run."""


TriggerValue = Annotated[str, Field(max_length=1_024)]


class Trigger(Section):
    """What starts a pipeline: exactly one of newData, schedule, drift, approval, onDemand."""

    pipeline: DnsLabel
    """Name under `pipelines`."""
    new_data: BucketPath | None = None
    """A folder of the lake that new objects arrive in."""
    marker: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = None
    """With newData: suffix of the objects that count, for example `_SUCCESS`."""
    schedule: Schedule | None = None
    """Times."""
    drift: DnsLabel | None = None
    """Name under `monitors`; its alarm starts the pipeline."""
    approval: bool = False
    """Start when a model is approved in the registry."""
    on_demand: bool = False
    """An event with source `mlops-infra` and detail-type `Run pipeline`."""
    parameters: Annotated[dict[ParameterName, TriggerValue], Field(max_length=200)] = Field(
        default_factory=dict
    )
    """Values of the pipeline's parameters for these runs."""
    cool_down_minutes: Annotated[int, Field(ge=0, le=10_080)] = 0
    """Minimum time between two starts of the pipeline by newData or drift."""
    enabled: bool = True
    """False disables the rule and keeps it."""
