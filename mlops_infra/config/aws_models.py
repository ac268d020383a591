"""The model half of the aws profile: registry, pipelines, endpoints, monitors, triggers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.aws_data import Schedule
from mlops_infra.config.base import DnsLabel, Percent, Section

InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9]+$")]
"""For example `ml.m5.large`; whether a region has it is asked at `preview`."""

BucketPath = Annotated[str, Field(pattern=r"^(raw|curated)/\S*$")]
"""A folder of the lake, for example `curated/orders`."""


class RegistryConfig(Section):
    """Where approved models are."""

    group: DnsLabel = "models"
    """Name of the model package group."""
    reader_accounts: tuple[Annotated[str, Field(pattern=r"^[0-9]{12}$")], ...] = ()
    """Other accounts that may deploy from it."""


class Pipeline(Section):
    """A training pipeline."""

    definition: Annotated[str, Field(pattern=r"^\S+\.(json|py)$")]
    """Path within the project of the definition, or of the program that writes it."""
    parallelism: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Steps at the same time."""
    parameters: dict[DnsLabel, str | int | float | bool] = Field(default_factory=dict)
    """Values other than the definition's defaults."""


class Variant(Section):
    """One of the models behind an endpoint."""

    name: DnsLabel
    """For example `champion`."""
    model: Annotated[str, Field(min_length=1, max_length=256)] = "latest-approved"
    """`latest-approved`, or a version of the registry's group."""
    instance: InstanceType = "ml.m5.large"
    """Machine; not used by a serverless endpoint."""
    count: Annotated[int, Field(ge=1, le=1_000)] = 1
    """Machines at the start; not below `scaling.min`, or a change throws the scaled ones away."""
    weight: Annotated[float, Field(ge=0, le=1_000_000)] = 1.0
    """Share of the traffic against the other variants."""
    shadow: bool = False
    """Gets a copy of the traffic; its answers go nowhere."""


class Scaling(Section):
    """How many machines of a variant."""

    min: Annotated[int, Field(ge=1, le=1_000)] = 1
    """At least."""
    max: Annotated[int, Field(ge=1, le=1_000)] = 2
    """At most."""
    invocations_per_instance: Annotated[int, Field(ge=1)] = 700
    """Requests a minute and machine that scaling aims at."""


class Serverless(Section):
    """An endpoint without machines of its own."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory of one instance."""
    max_concurrency: Annotated[int, Field(ge=1, le=200)] = 5
    """Requests at the same time."""


class Deployment(Section):
    """Roll-out of a new model, and the way back."""

    strategy: Literal["canary", "linear", "allAtOnce"] = "canary"
    """A part first, step by step, or everything."""
    step_percent: Annotated[int, Field(ge=1, le=50)] = 10
    """Size of the canary or of one step (SageMaker: at most half)."""
    bake_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    """How long alarms are watched after each step; any alarm rolls back."""


class Endpoint(Section):
    """An HTTP endpoint that serves models."""

    mode: Literal["realtime", "serverless", "async"] = "realtime"
    """Machines that wait, none that wait, or a queue."""
    variants: Annotated[tuple[Variant, ...], Field(min_length=1, max_length=10)]
    """Models behind the endpoint (SageMaker: up to ten)."""
    scaling: Scaling | None = None
    """A fixed number of machines where absent."""
    serverless: Serverless | None = None
    """Only with mode serverless."""
    capture_percent: Percent = 0
    """Share of requests and answers recorded; monitors need it above 0."""
    deployment: Deployment = Field(default_factory=Deployment)
    """How a new model takes over."""


class Monitor(Section):
    """Compares what an endpoint sees with what the model was trained on."""

    endpoint: DnsLabel
    """Name under `endpoints`."""
    kind: Literal["dataQuality", "modelQuality", "bias", "explainability"] = "dataQuality"
    """What is compared."""
    schedule: Schedule = "cron(0 * ? * * *)"
    """Hourly at most."""
    instance: InstanceType = "ml.m5.xlarge"
    """Machine of a run."""


class Trigger(Section):
    """What starts a pipeline: exactly one of newData, schedule, drift."""

    pipeline: DnsLabel
    """Name under `pipelines`."""
    new_data: BucketPath | None = None
    """A folder of the lake that new objects arrive in."""
    schedule: Schedule | None = None
    """Times."""
    drift: DnsLabel | None = None
    """Name under `monitors`; a violation starts the pipeline."""
    enabled: bool = True
    """False keeps the rule and stops it."""
