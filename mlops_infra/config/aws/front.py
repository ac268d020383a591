"""A public door in front of an endpoint: API Gateway and a Lambda that checks requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.language.section import DnsLabel, HttpUrl, Section


class Bounds(Section):
    """What a field of a request may hold."""

    type: Literal["integer", "number", "string", "boolean"]
    """Kind of the value."""
    min: float | None = None
    """Smallest number."""
    max: float | None = None
    """Largest number."""
    values: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    """The only texts."""


class Jwt(Section):
    """Callers show a token of an OpenID Connect issuer."""

    issuer: HttpUrl
    """For example `https://login.example.com/realms/company`."""
    audience: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]
    """For whom the token must be made."""


class Front(Section):
    """An HTTPS address that answers with a model's prediction."""

    endpoint: DnsLabel
    """Name under `endpoints`."""
    jwt: Jwt | None = None
    """Callers sign with IAM (SigV4) where absent; nobody comes in without either."""
    fields: Annotated[dict[str, Bounds], Field(max_length=500)] = Field(default_factory=dict)
    """Fields of one row; anything else is refused with a reason. Any row where absent."""
    rate: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Requests a second."""
    burst: Annotated[int, Field(ge=1, le=5_000)] = 200
    """Requests at once."""
    timeout_seconds: Annotated[int, Field(ge=1, le=29)] = 10
    """After which the caller is told (API Gateway gives up after 30)."""
