"""Stores and images of the aws profile: PostgreSQL, Valkey, ECR."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.language.section import DnsLabel, Section


class SqlConfig(Section):
    """PostgreSQL on RDS: encrypted, private, its password made and rotated by AWS."""

    instance: Annotated[str, Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")] = "db.t4g.micro"
    """Instance type, for example `db.m7g.large`."""
    version: Literal["14", "15", "16", "17"] = "17"
    """Major version; minor versions are updated in the maintenance window."""
    storage_gib: Annotated[int, Field(ge=20, le=65_536)] = 20
    """Size of the volume (RDS gp3: 20 GiB to 64 TiB)."""
    storage_limit_gib: Annotated[int, Field(ge=20, le=65_536)] | None = None
    """Limit of automatic growth of the volume (default: no growth)."""
    backup_days: Annotated[int, Field(ge=1, le=35)] = 7
    """Retention of daily backups in days (RDS: up to 35; 0 would disable them)."""
    two_zones: bool = False
    """Standby instance in another zone; required by policy hardened."""


class KvConfig(Section):
    """Valkey on ElastiCache for the lineage map: encrypted, private, users by IAM."""

    instance: Annotated[str, Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$")] = "cache.t4g.micro"
    """Instance type, for example `cache.m7g.large`."""
    version: Literal["7.2", "8.0"] = "8.0"
    """Version of Valkey."""
    replicas: Annotated[int, Field(ge=0, le=5)] = 0
    """Replicas in other zones (ElastiCache: up to 5); policy hardened requires one."""
    snapshot_days: Annotated[int, Field(ge=1, le=35)] = 1
    """Retention of daily snapshots in days."""


class AwsStores(Section):
    """Databases of the platform; one that is absent is not made, and its output is null."""

    sql: SqlConfig | None = None
    """For MLflow, batch predictions and ground truth."""
    kv: KvConfig | None = None
    """For the lineage map."""


class EcrConfig(Section):
    """Repositories of images: scanned on push, tags never moved, old images ended."""

    repositories: Annotated[tuple[DnsLabel, ...], Field(max_length=50)] = ("training", "serving")
    """Repository names, each prefixed with the stack's name."""
    keep: Annotated[int, Field(ge=1, le=10_000)] = 30
    """Tagged images kept in each repository."""
    untagged_days: Annotated[int, Field(ge=1, le=3_650)] = 7
    """Days until an untagged image is deleted."""
