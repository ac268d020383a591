"""The data half of the aws profile: lake, catalogue, queries, features."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.base import DnsLabel, Name, Section

Schedule = Annotated[str, Field(pattern=r"^(cron\([^()]{11,100}\)|rate\([1-9][0-9]* [a-z]+\))$")]
"""AWS's own form: `cron(0 2 * * ? *)` or `rate(1 day)`."""

Days = Annotated[int, Field(ge=1, le=36_500)]


class LakeConfig(Section):
    """The buckets raw, curated, artifacts and logs; private, encrypted, TLS only, always."""

    versioning: bool = True
    """Keep overwritten and deleted objects."""
    expire_old_versions_days: Days = 90
    """After which an overwritten object goes."""
    raw_to_cold_days: Days | None = None
    """After which raw data moves to a cheaper storage class; never where absent."""
    object_lock: bool = False
    """Raw data cannot be changed or deleted; can only be chosen when the bucket is made."""
    access_logs: bool = True
    """Record who read what in the logs bucket."""
    force_destroy: bool = False
    """`down` empties the buckets. Only with policy dev."""


class Crawler(Section):
    """Finds tables in a folder of the lake."""

    path: Annotated[str, Field(pattern=r"^(raw|curated)/\S+$")]
    """Bucket and folder, for example `raw/orders`."""
    schedule: Schedule | None = None
    """On request only where absent."""


class GlueJob(Section):
    """An ETL job."""

    script: Annotated[str, Field(pattern=r"^\S+\.(py|scala)$")]
    """Path of the script within the project."""
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X", "G.025X"] = "G.1X"
    """Size of one worker."""
    workers: Annotated[int, Field(ge=2, le=299)] = 2
    """Number of workers (Glue asks for two)."""
    execution: Literal["STANDARD", "FLEX"] = "STANDARD"
    """FLEX is cheaper and starts when there is room."""
    timeout_minutes: Annotated[int, Field(ge=1, le=10_080)] = 120
    """After which a run is stopped."""
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    """Runs after a failed one."""
    schedule: Schedule | None = None
    """On request only where absent."""


class GlueConfig(Section):
    """Glue's catalogue and what fills it."""

    database: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,255}$")] = "lake"
    """Database of the catalogue; Athena takes lower case, digits and `_` only."""
    crawlers: Annotated[dict[DnsLabel, Crawler], Field(max_length=50)] = Field(default_factory=dict)
    """Crawlers by name."""
    jobs: Annotated[dict[DnsLabel, GlueJob], Field(max_length=50)] = Field(default_factory=dict)
    """ETL jobs by name."""


class AthenaConfig(Section):
    """The workgroup that everybody queries in."""

    scan_limit_bytes: Annotated[int, Field(ge=10_485_760)] = 107_374_182_400
    """A query that reads more is stopped (Athena: 10 MiB or more)."""
    results_expire_days: Days = 30
    """After which results go."""


class Feature(Section):
    """One column of a feature group."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([-_]*[A-Za-z0-9]){0,63}$")]
    """Name of the feature (up to 64 characters)."""
    type: Literal["Integral", "Fractional", "String"]
    """What it holds."""


class FeatureGroup(Section):
    """Features of one kind of thing, the same ones for training and for serving."""

    record_identifier: Name
    """The feature that tells one thing from another."""
    event_time: Name
    """The feature that holds when; String (ISO 8601) or Fractional (seconds)."""
    features: Annotated[tuple[Feature, ...], Field(min_length=2, max_length=2_500)]
    """All features, these two included. Adding later is possible, taking away is not."""
    online: bool = True
    """Keep the newest values for serving."""
    offline: bool = True
    """Keep the history in the lake."""
    ttl_days: Days | None = None
    """After which an online value goes."""
