"""The base model and the kinds of values that several sections share.

Every section is closed (an unknown key is an error), frozen, written in camelCase in YAML and in
snake_case in Python. Sections are built on first use: a stack of one profile never pays for the
models of the other.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from mlops_infra.config.language import addresses

Profile = Literal["aws", "onprem"]
State = Literal["managed", "external", "removed"]
Policy = Literal["dev", "standard", "hardened"]
ServingEngine = Literal["kserve", "seldon-core"]
"""A component that runs the servers of models."""
SERVING_ENGINES: tuple[ServingEngine, ...] = get_args(ServingEngine)
"""The first one that is managed is the default."""


class Section(BaseModel):
    """Base of every section of a stack's configuration."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        defer_build=True,
        use_attribute_docstrings=True,
    )


DnsLabel = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63),
    Field(examples=["team-a"]),
]
"""RFC 1123 label: names of Kubernetes objects, environments and tenants."""

DnsName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        max_length=253,
    ),
    Field(examples=["fast-ssd"]),
]
"""RFC 1123 subdomain: names of most Kubernetes objects."""

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=63),
    Field(examples=["site-database"]),
]
"""A name that only this file uses."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""Any text that is not empty."""

HttpUrl = Annotated[
    str,
    Field(
        pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+(:[0-9]+)?(/\S*)?$",
        examples=["https://host.example:8443/path"],
    ),
    AfterValidator(addresses.http_url),
]
"""An http or https URL without credentials."""

HostPort = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9.\-]+:[0-9]{1,5}$", examples=["host.example:5432"]),
    AfterValidator(addresses.host_port),
]
"""`host:port`."""

Registry = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9.\-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._\-]*)*$",
        examples=["registry.example:5000/mlops"],
    ),
    AfterValidator(addresses.registry),
]
"""`host[:port][/path]` of an image registry, without a scheme."""

Cidr = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{1,3}\.){3}[0-9]{1,3}/([0-9]|[12][0-9]|3[0-2])$",
        examples=["10.0.0.0/16"],
    ),
    AfterValidator(addresses.network),
]
"""An IPv4 network, for example `10.0.0.0/16`."""

Email = Annotated[
    str,
    StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254),
    Field(examples=["team@example.com"]),
]
"""An address for notifications."""

Percent = Annotated[int, Field(ge=0, le=100)]
"""0 to 100."""

KubernetesVersion = Annotated[
    str, StringConstraints(pattern=r"^1\.[0-9]{1,2}$"), Field(examples=["1.34"])
]
"""Minor version of a cluster, for example `1.34`."""
