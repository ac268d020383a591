"""Addresses that a pattern cannot judge: ports, networks, hosts of URLs."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from mlops_infra.config.language.invalid import InvalidValueError

_MOST = 65535
_PORT_ADVICE = f"1 to {_MOST}"


def http_url(url: str) -> str:
    """Return `url` if it has a host and a port that can be one; raises `InvalidValueError`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidValueError(f"'{url}' is not a URL: {error}") from error
    if not host:
        raise InvalidValueError(f"'{url}' has no host")
    if port == 0:
        raise InvalidValueError(f"'{url}' has port 0", _PORT_ADVICE)
    return url


def host_port(text: str) -> str:
    """Return `host:port` if the port can be one; raises `InvalidValueError`."""
    _check_port(text, text.rpartition(":")[2])
    return text


def registry(text: str) -> str:
    """Return a registry if its port can be one; raises `InvalidValueError`."""
    _host, colon, port = text.partition("/")[0].partition(":")
    if colon:
        _check_port(text, port)
    return text


def network(text: str) -> str:
    """Return an IPv4 network if its numbers are right; raises `InvalidValueError`."""
    try:
        ipaddress.IPv4Network(text)
    except ValueError as error:
        advice = None
        if "host bits" in str(error):
            advice = f"the network is {ipaddress.IPv4Network(text, strict=False)}"
        raise InvalidValueError(f"'{text}' is not a network: {error}", advice) from error
    return text


def _check_port(text: str, port: str) -> None:
    if not 1 <= int(port) <= _MOST:
        raise InvalidValueError(f"'{text}' has port {port}", _PORT_ADVICE)
