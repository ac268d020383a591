"""Teams that share the platform, each behind its own walls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mlops_infra.config.language.section import DnsLabel, Name, Section, Text
from mlops_infra.config.tenants.models import ModelConfig

TenantName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=40),
    Field(examples=["team-a"]),
]
"""A DNS label that leaves room for what is named after it: `tenant-<name>`."""

Member = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._@-]*[A-Za-z0-9])?$", max_length=128),
    Field(examples=["kim"]),
]
"""A person as the site's login system writes them, for example `kim` or `kim@example.com`."""

Cores = Annotated[str, Field(pattern=r"^[1-9][0-9]*m?$", examples=["8"])]
Bytes = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$", examples=["32Gi"])]


class Quota(Section):
    """Upper bounds of one tenant; what is absent has none."""

    cpu: Cores | None = None
    """Cores of all Pods together, for example `8` or `500m`; limits may reach twice as much."""
    memory: Bytes | None = None
    """Memory of all Pods together, for example `32Gi`."""
    gpu: Annotated[int, Field(ge=0)] | None = None
    """Whole GPUs."""
    storage: Bytes | None = None
    """Sum of all volumes."""
    pods: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Number of Pods."""


class Tenant(Section):
    """A team with its own namespace, bucket, accounts and walls."""

    owner: Text | None = None
    """Who answers for it: a person as the site's login system writes them."""
    members: tuple[Member, ...] = ()
    """Who may work in it."""
    groups: tuple[Text, ...] = ()
    """Groups of the site's login system (OIDC `groups`) whose members may work in it."""
    quota: Quota = Field(default_factory=Quota)
    """Upper bounds."""
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None = None
    """Its bucket in an external object store; `tenant-<name>` where absent."""
    secret: Name | None = None
    """External object store only: the name under `secrets` with its own accessKey, secretKey."""
    notebooks: bool = True
    """One notebook for each member, where the component `notebooks` is managed."""
    on_removal: Literal["archive", "purge"] = "archive"
    """When the tenant leaves this file: keep its bucket and its rows, or delete them."""
    models: dict[DnsLabel, ModelConfig] = Field(default_factory=dict)
    """Models that the platform trains again, watches and scores in bulk, by registered name."""
