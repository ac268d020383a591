"""Settings of the edge."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import HttpUrl, Name, Section, Text


class LoginConfig(Section):
    """Where browsers sign in: any OpenID Connect provider."""

    issuer: HttpUrl
    """URL of the provider, as its tokens write it."""
    client_id: Text
    """Client id of the platform at the provider."""
    secret: Name
    """Name under `secrets` with the key clientSecret."""
    scopes: tuple[Text, ...] = ("openid", "email", "profile")
    """Requested scopes."""


class EnvoyGatewaySettings(Section):
    """Settings of the edge."""

    hostname: Annotated[
        str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    ] = "mlops.internal"
    """Domain of all pages, for example mlflow.mlops.internal."""
    certificate: Name | None = None
    """Name under `secrets` with the keys certificate and key for *.hostname (default: http)."""
    oidc: LoginConfig | None = None
    """Login (default: none). Needs `certificate`."""
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    """Proxies."""
