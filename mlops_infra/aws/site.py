"""Which account and region a stack lives in, and by which role."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from mlops_infra.config.aws.account import AwsConfig


@dataclass(frozen=True, slots=True)
class Site:
    """Holds no secret: credentials come from the environment, as every AWS tool takes them."""

    region: str
    account: str | None = None
    """The 12 digits; None asks for no particular account."""
    role: str | None = None
    """ARN of a role to assume."""
    endpoint_url: str | None = None
    """URL of an emulator, instead of AWS."""

    @classmethod
    def of(cls, config: AwsConfig) -> Site:
        """From the stack's configuration."""
        url = str(config.endpoint_url) if config.endpoint_url else None
        return cls(config.region, config.account, config.role, url)

    @property
    def emulated(self) -> bool:
        """Whether the endpoint is on this machine, where any credentials do."""
        host = urlsplit(self.endpoint_url or "").hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def __str__(self) -> str:
        where = f"account {self.account or 'of the credentials'}, region {self.region}"
        return f"{where}, {self.endpoint_url}" if self.endpoint_url else where
