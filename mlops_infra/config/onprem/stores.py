"""The three stores that components keep their data in, and references to secrets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.language.buckets import Bucket
from mlops_infra.config.language.quantities import Size
from mlops_infra.config.language.section import (
    HostPort,
    HttpUrl,
    Name,
    Section,
    State,
    Text,
)


class SecretReference(Section):
    """Where one secret value comes from: exactly one of these. The value itself is never here."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """An environment variable of the process that runs `up`."""
    file: Text | None = None
    """A file, read by the process that runs `up`; a final line break is not part of the value."""


Secret = Annotated[dict[Name, SecretReference], Field(min_length=1)]
"""One secret: its keys, for example `username` and `password`, each with a reference."""


class StoreConfig(Section):
    """What all stores have in common."""

    state: State = "managed"
    """managed: deployed here; external: an existing service; removed: none."""
    size: Size = "5Gi"
    """Size of the volume; it can grow if the StorageClass allows it, never shrink."""
    retain: bool = False
    """Keep the volume on `down`."""
    secret: Name | None = None
    """External only: name under `secrets` of the credentials."""


class ObjectStore(StoreConfig):
    """S3 storage for artefacts and models. An external one needs the keys accessKey, secretKey."""

    engine: Literal["versitygw", "seaweedfs", "minio"] = "versitygw"
    """Software to deploy. versitygw keeps keys as paths: `a//b` is `a/b`, `a/` has no content."""
    endpoint: HttpUrl | None = None
    """External only: URL of the S3 API."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] = "us-east-1"
    """Region that requests are signed for."""
    bucket: Bucket = "mlflow"
    """Bucket of experiments and models (3 to 63 characters: S3's own rule)."""


class SqlStore(StoreConfig):
    """Relational storage. An external one needs the keys username and password."""

    engine: Literal["postgresql", "cloudnative-pg"] = "postgresql"
    """Software to deploy: one server, or several with failover."""
    instances: Annotated[int, Field(ge=1, le=9)] = 3
    """Number of CloudNativePG servers."""
    endpoint: HostPort | None = None
    """External only: `host:port`."""
    database: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = "mlflow"
    """Database of experiments and models."""


class KeyValueStore(StoreConfig):
    """Redis-protocol storage for lineage and features. An external one needs the key password."""

    engine: Literal["valkey", "redis"] = "valkey"
    """Software to deploy."""
    size: Size = "1Gi"
    """Size of the volume."""
    endpoint: HostPort | None = None
    """External only: `host:port`."""


class Stores(Section):
    """The stores, by what they hold."""

    object: ObjectStore = Field(default_factory=ObjectStore)
    """Files: artefacts and models."""
    sql: SqlStore = Field(default_factory=SqlStore)
    """Tables: runs, parameters, metrics, registry."""
    kv: KeyValueStore = Field(default_factory=KeyValueStore)
    """Keys: lineage, online features."""
