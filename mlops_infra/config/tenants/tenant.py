"""Teams that share the platform, each behind its own walls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mlops_infra.config.language.buckets import Bucket
from mlops_infra.config.language.quantities import Bytes, Cpu
from mlops_infra.config.language.section import DnsLabel, Name, Section, Text
from mlops_infra.config.tenants.models import ModelConfig

TenantName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=40),
    Field(examples=["team-a"]),
]
"""A DNS label, short enough for `tenant-<name>` and names derived from it."""

Member = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._@-]*[A-Za-z0-9])?$", max_length=128),
    Field(examples=["kim"]),
]
"""A user name of the site's login system, for example `kim` or `kim@example.com`."""


class Quota(Section):
    """Upper bounds of one tenant; what is absent has none."""

    cpu: Cpu | None = None
    """CPU requests of all Pods, for example `8` or `500m`; limits up to twice as much."""
    memory: Bytes | None = None
    """Memory of all Pods, for example `32Gi`."""
    gpu: Annotated[int, Field(ge=0)] | None = None
    """Whole GPUs."""
    storage: Bytes | None = None
    """Size of all volumes."""
    pods: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Number of Pods."""


class Tenant(Section):
    """A team with its own namespace, bucket, accounts and walls."""

    owner: Text | None = None
    """Responsible person: a user name of the site's login system."""
    members: tuple[Member, ...] = ()
    """Members: user names of the site's login system."""
    groups: tuple[Text, ...] = ()
    """Groups of the site's login system (OIDC `groups`) whose members have access."""
    quota: Quota = Field(default_factory=Quota)
    """Upper bounds."""
    bucket: Bucket | None = None
    """Its bucket in an external object store (default: `tenant-<name>`)."""
    secret: Name | None = None
    """External object store only: name under `secrets` with its accessKey and secretKey."""
    notebooks: bool = True
    """One notebook per member, if the component `notebooks` is managed."""
    pipeline_engine: Literal["argo", "kfp"] = "argo"
    """Engine of trainings that triggers and `retrain` start: Argo or Kubeflow Pipelines."""
    on_removal: Literal["archive", "purge"] = "archive"
    """When the tenant is removed from this file: keep (archive) or delete (purge) its data."""
    models: dict[DnsLabel, ModelConfig] = Field(default_factory=dict)
    """Declared models by registered name: retrained, monitored, batch-scored."""
