"""The account, network, keys and guard rails of the aws profile.

Limits are those of the services' own APIs; a value outside them would fail minutes into `up`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.aws.airflow import AirflowConfig
from mlops_infra.config.aws.data import AthenaConfig, FeatureGroup, GlueConfig, LakeConfig
from mlops_infra.config.aws.delivery import DeliveryConfig
from mlops_infra.config.aws.front import Front
from mlops_infra.config.aws.models import (
    BatchTransform,
    Endpoint,
    Monitor,
    Pipeline,
    RegistryConfig,
    Trigger,
)
from mlops_infra.config.aws.reports import QuickSightConfig
from mlops_infra.config.aws.stores import AwsStores, EcrConfig
from mlops_infra.config.aws.streams import Stream
from mlops_infra.config.language.section import Cidr, DnsLabel, Email, HttpUrl, Section

Zone = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$")]
"""An availability zone, for example `ap-northeast-2a`."""

RoleArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S{1,512}$",
        examples=["arn:aws:iam::111122223333:role/deployer"],
    ),
]
PolicyArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/\S{1,512}$",
        examples=["arn:aws:iam::111122223333:policy/boundary"],
    ),
]
KeyArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
        examples=["arn:aws:kms:eu-west-1:111122223333:key/0123abcd-0123-abcd-0123-0123456789ab"],
    ),
]

LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
"""Retention periods that CloudWatch Logs supports."""


class VpcConfig(Section):
    """Network of training, notebooks and endpoints: a new one, or an existing one by id."""

    cidr: Cidr = "10.0.0.0/16"
    """Address range of a new VPC (/16 to /24), or of the existing one (to /28)."""
    id: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")] | None = None
    """An existing VPC; then `subnets` names its private subnets."""
    subnets: tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...] = ()
    """Private subnets of an existing VPC, in two or more zones unless policy is dev."""
    nat_gateways: Annotated[int, Field(ge=0, le=6)] = 0
    """NAT gateways of a new VPC, billed by the hour; only needed to reach the internet."""
    interface_endpoints: bool = False
    """Private endpoints of AWS services, billed by the hour and zone."""
    flow_logs: bool = True
    """Record accepted and rejected connections (flow logs)."""


class KmsConfig(Section):
    """Keys that data, volumes and logs are encrypted by."""

    key: KeyArn | None = None
    """Existing key for data (default: a key of the stack)."""
    logs_key: KeyArn | None = None
    """Existing key for log groups; CloudWatch Logs needs permission to use it."""
    deletion_window_days: Annotated[int, Field(ge=7, le=30)] = 30
    """Days until a deleted key is destroyed (KMS: 7 to 30)."""


class AlarmConfig(Section):
    """Who is told when an endpoint or a job misbehaves."""

    emails: tuple[Email, ...] = ()
    """Mail addresses; each must confirm its subscription."""
    p99_milliseconds: Annotated[int, Field(ge=1, le=60_000)] = 1_000
    """Model latency that raises an alarm (SageMaker's limit: 60 s)."""
    errors_per_five_minutes: Annotated[int, Field(ge=1)] = 5
    """Number of 5xx responses that raises an alarm."""


class BudgetConfig(Section):
    """A monthly bound that sends mail; it stops nothing."""

    monthly_usd: Annotated[int, Field(ge=1)]
    """US dollars a month."""
    emails: Annotated[tuple[Email, ...], Field(min_length=1, max_length=10)]
    """Mail addresses, notified at 80 % and 100 %."""


class AwsConfig(Section):
    """Everything that only the aws profile has."""

    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    """The 12 digits, in quotes. `up` refuses any other account."""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
    """For example `ap-northeast-2`."""
    zones: Annotated[tuple[Zone, ...], Field(max_length=6)] = ()
    """Availability zones of a new VPC (default: the first two of the region)."""
    role: RoleArn | None = None
    """Role to assume for deployment."""
    permissions_boundary: PolicyArn | None = None
    """Permissions boundary of every role of the stack."""
    endpoint_url: HttpUrl | None = None
    """An emulator instead of AWS, for tests."""
    prefix: Annotated[DnsLabel, Field(max_length=20)] = "mlops"
    """Prefix of every name that must be unique in the account or globally."""
    tags: Annotated[
        dict[
            Annotated[str, Field(pattern=r"^[\w .:/=+@-]+$", max_length=128)],
            Annotated[
                str,
                Field(pattern=r"^[\w .:/=+@-]*$", max_length=256, examples=["team a / shop 7"]),
            ],
        ],
        Field(max_length=40),
    ] = Field(default_factory=dict)
    """Tags of every resource, besides those of mlops-infra (AWS allows 50)."""
    log_retention_days: LogDays = 365
    """Retention of all log groups."""
    vpc: VpcConfig = Field(default_factory=VpcConfig)
    """Network."""
    kms: KmsConfig = Field(default_factory=KmsConfig)
    """Keys."""
    lake: LakeConfig = Field(default_factory=LakeConfig)
    """S3 buckets for raw, curated and produced data."""
    stores: AwsStores = Field(default_factory=AwsStores)
    """PostgreSQL and Valkey."""
    images: EcrConfig = Field(default_factory=EcrConfig)
    """Container image repositories."""
    glue: GlueConfig = Field(default_factory=GlueConfig)
    """Data catalogue, crawlers and ETL jobs."""
    athena: AthenaConfig = Field(default_factory=AthenaConfig)
    """Queries."""
    quicksight: QuickSightConfig | None = None
    """Dashboards."""
    streams: Annotated[dict[DnsLabel, Stream], Field(max_length=50)] = Field(default_factory=dict)
    """Streams into the lake, by name."""
    registry: RegistryConfig = Field(default_factory=RegistryConfig)
    """Model package group."""
    features: Annotated[dict[DnsLabel, FeatureGroup], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Feature groups by name."""
    pipelines: Annotated[dict[DnsLabel, Pipeline], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Training pipelines by name."""
    endpoints: Annotated[dict[DnsLabel, Endpoint], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Serving endpoints by name."""
    fronts: Annotated[dict[DnsLabel, Front], Field(max_length=50)] = Field(default_factory=dict)
    """Public API fronts of endpoints, by name."""
    batches: Annotated[dict[DnsLabel, BatchTransform], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Batch predictions, by name."""
    monitors: Annotated[dict[DnsLabel, Monitor], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Monitors of endpoints by name."""
    triggers: Annotated[dict[DnsLabel, Trigger], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """What starts a pipeline."""
    delivery: DeliveryConfig | None = None
    """CI/CD."""
    airflow: AirflowConfig | None = None
    """Managed Airflow."""
    alarms: AlarmConfig = Field(default_factory=AlarmConfig)
    """Notifications."""
    budget: BudgetConfig | None = None
    """Cost."""
