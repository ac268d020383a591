"""The data half of the aws profile: lake, catalogue, queries, features."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.aws.schedules import GlueSchedule
from mlops_infra.config.aws.values import BucketPath, DataType, Folder
from mlops_infra.config.language.section import DnsLabel, Section

Days = Annotated[int, Field(ge=1, le=36_500)]

BucketName = Literal["raw", "curated", "features", "artifacts", "logs", "results"]
"""The buckets of the lake."""

Column = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,255}$")]
"""Name of a column or table; Athena allows lower case, digits and `_`."""


class LakeConfig(Section):
    """The six buckets of the lake; private, encrypted, TLS only, always."""

    versioning: bool = True
    """Keep overwritten and deleted objects (versioning)."""
    expire_old_versions_days: Days = 90
    """Days until an overwritten object is deleted."""
    expire_days: dict[BucketName, Days] = Field(default_factory=dict)
    """Days until an object is deleted, by bucket; logs and results have their own settings."""
    raw_to_cold_days: Days | None = None
    """Days until raw data moves to a cheaper storage class (default: never)."""
    object_lock: bool = False
    """Protect raw data from change and deletion; only possible when the bucket is created."""
    object_lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    """GOVERNANCE: deletion needs a special permission; COMPLIANCE: nobody can delete."""
    object_lock_days: Days | None = None
    """Days that a new object of raw is locked (default: the object's own setting)."""
    access_logs: bool = True
    """Log all accesses in the logs bucket."""
    force_destroy: bool = False
    """Let `down` empty the buckets. Only with policy dev."""


class Crawler(Section):
    """Finds tables in a folder of the lake."""

    path: BucketPath
    """Bucket and folder, for example `raw/orders`."""
    schedule: GlueSchedule | None = None
    """Schedule (default: on request only)."""
    description: Annotated[str, Field(max_length=2_048)] = ""
    """Description in the catalogue."""


class Table(Section):
    """A table whose columns are known: no crawler has to guess them."""

    path: Folder
    """Folder of its files."""
    format: Literal["parquet", "csv", "json"] = "parquet"
    """File format."""
    columns: Annotated[dict[Column, DataType], Field(min_length=1, max_length=2_000)]
    """Columns and their types, in order."""
    partitions: Annotated[dict[Column, DataType], Field(max_length=10)] = Field(
        default_factory=dict
    )
    """Columns that are folders (`day=2026-01-31`), in order."""


class Etl(Section):
    """The kit's own script: raw CSV or JSON becomes typed, partitioned Parquet."""

    source: Folder
    """Folder of the raw files."""
    format: Literal["csv", "json"] = "csv"
    """Format of the raw files; JSON has one object per line."""
    table: Column
    """Name under `glue.tables`: the path, columns and partitions that are written."""
    keys: Annotated[tuple[Column, ...], Field(max_length=20)] = ()
    """Columns that identify a row; the newest file wins (default: all rows are kept)."""


class GlueJob(Section):
    """An ETL job: the kit's own (`etl`) or a script of yours."""

    script: Annotated[str, Field(pattern=r"^\S+\.(py|scala)$")] | None = None
    """Path of a script within the project."""
    etl: Etl | None = None
    """Settings of the built-in script."""
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X", "G.025X"] = "G.1X"
    """Size of one worker."""
    workers: Annotated[int, Field(ge=2, le=299)] = 2
    """Number of workers (Glue needs two)."""
    execution: Literal["STANDARD", "FLEX"] = "STANDARD"
    """FLEX is cheaper and starts when capacity is available."""
    timeout_minutes: Annotated[int, Field(ge=1, le=10_080)] = 120
    """Time limit of a run."""
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    """Number of retries."""
    schedule: GlueSchedule | None = None
    """Schedule (default: on request only)."""
    then_crawl: DnsLabel | None = None
    """Name under `crawlers`, started after each successful run."""


class Quality(Section):
    """Rules that a table must keep, in Glue's language DQDL."""

    table: Column
    """Name under `glue.tables`."""
    rules: Annotated[
        tuple[Annotated[str, Field(min_length=3, max_length=1_000)], ...],
        Field(min_length=1, max_length=200),
    ]
    """For example `IsComplete "order_id"` or `RowCount > 0`."""


class LakeFormation(Section):
    """Rights on databases and tables beside those of IAM."""

    admins: Annotated[
        tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:\S+$")], ...],
        Field(min_length=1, max_length=30),
    ]
    """ARNs of the administrators; they replace the account's list."""
    readers: Annotated[
        tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:\S+$")], ...],
        Field(max_length=100),
    ] = ()
    """ARNs that may read every table of the database."""


class GlueConfig(Section):
    """Glue's catalogue and what fills it."""

    database: Column = "lake"
    """Database of the catalogue; Athena allows lower case, digits and `_`."""
    version: Literal["4.0", "5.0"] = "5.0"
    """Glue version, which decides those of Spark and Python."""
    encrypt_catalog: bool = False
    """Encrypt the account's whole catalogue in this region: one setting for all stacks."""
    crawlers: Annotated[dict[DnsLabel, Crawler], Field(max_length=50)] = Field(default_factory=dict)
    """Crawlers by name."""
    tables: Annotated[dict[Column, Table], Field(max_length=200)] = Field(default_factory=dict)
    """Tables by name."""
    jobs: Annotated[dict[DnsLabel, GlueJob], Field(max_length=50)] = Field(default_factory=dict)
    """ETL jobs by name."""
    quality: Annotated[dict[DnsLabel, Quality], Field(max_length=50)] = Field(default_factory=dict)
    """Data-quality rulesets by name."""
    lake_formation: LakeFormation | None = None
    """Lake Formation permissions (default: IAM alone)."""


class NamedQuery(Section):
    """A query that people find in the workgroup."""

    sql: Annotated[str, Field(min_length=1, max_length=262_144)]
    """The query."""
    description: Annotated[str, Field(max_length=1_024)] = ""
    """Description."""


class AthenaConfig(Section):
    """The workgroup that everybody queries in."""

    scan_limit_bytes: Annotated[int, Field(ge=10_485_760)] = 107_374_182_400
    """Maximum data read by a query (Athena: 10 MiB or more)."""
    results_expire_days: Days = 30
    """Days until results are deleted."""
    queries: Annotated[dict[DnsLabel, NamedQuery], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Saved queries by name."""


FeatureName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([-_]*[A-Za-z0-9]){0,63}$", max_length=64)]


class Feature(Section):
    """One column of a feature group."""

    name: FeatureName
    """Name of the feature (up to 64 characters)."""
    type: Literal["Integral", "Fractional", "String"]
    """What it holds."""


class FeatureGroup(Section):
    """Features of one kind of thing, the same ones for training and for serving."""

    record_identifier: FeatureName
    """The feature that identifies a record."""
    event_time: FeatureName
    """The feature with the event time: String (ISO 8601) or Fractional (seconds)."""
    features: Annotated[tuple[Feature, ...], Field(min_length=2, max_length=2_500)]
    """All features, these two included. Features can be added later, not removed."""
    online: bool = True
    """Keep the newest values for serving."""
    offline: bool = True
    """Keep the history in the lake."""
    ttl_days: Days | None = None
    """Lifetime of an online value."""
