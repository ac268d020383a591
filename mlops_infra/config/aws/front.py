"""A public door in front of an endpoint: API Gateway and a Lambda that checks requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.language.section import DnsLabel, HttpUrl, Section


class Bounds(Section):
    """What a field of a request may hold."""

    type: Literal["integer", "number", "string", "boolean"]
    """Type of the value."""
    min: float | None = None
    """Smallest number."""
    max: float | None = None
    """Largest number."""
    values: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    """Allowed texts."""


class Jwt(Section):
    """Callers show a token of an OpenID Connect issuer."""

    issuer: HttpUrl
    """For example `https://login.example.com/realms/company`."""
    audience: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]
    """Audience of the token."""


class Front(Section):
    """An HTTPS address that answers with a model's prediction."""

    endpoint: DnsLabel
    """Name under `endpoints`."""
    jwt: Jwt | None = None
    """Token issuer (default: callers sign with IAM, SigV4)."""
    fields: Annotated[dict[str, Bounds], Field(max_length=500)] = Field(default_factory=dict)
    """Fields of a row; other rows are refused with a reason (default: any row)."""
    rate: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Requests per second."""
    burst: Annotated[int, Field(ge=1, le=5_000)] = 200
    """Burst of requests."""
    timeout_seconds: Annotated[int, Field(ge=1, le=29)] = 10
    """Time limit of a request (API Gateway: 30 s)."""
