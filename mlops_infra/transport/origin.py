"""Where a URL leads: scheme, host and port. Pure."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass

from mlops_infra.transport.errors import HttpError

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads."""

    scheme: str
    host: str
    """Lower case, without the brackets of an IPv6 address."""
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Of an absolute URL.

        Raises:
            HttpError: it is not an HTTP URL.
        """
        try:
            parts = urllib.parse.urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise HttpError(f"not a URL: {error}") from error
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise HttpError(f"'{parts.scheme}:' is not an address of HTTP")
        default = DEFAULT_PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname, default if port is None else port)

    @property
    def authority(self) -> str:
        """`HOST`, or `HOST:PORT` where the port is not the scheme's own; IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def bare(url: str) -> str:
    """The URL without a name and a password: what may be shown, logged and written to a lock."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
