"""Asks in a moment whether anything answers at a URL, before slow clients are even imported."""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from mlops_infra.errors import OperationFailed

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""For the first byte of any HTTP answer; a server that is only busy manages that."""
_PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}


def listening(what: str, url: str) -> None:
    """Open and close one TCP connection.

    Raises:
        OperationFailed: nobody accepts it within `CONNECT_SECONDS`.
    """
    host, port = _address(url)
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise _unreachable(what, url, error.strerror or str(error)) from error


def answering(what: str, url: str) -> None:
    """Ask for `url` over HTTP; any status is an answer, also one that refuses.

    Raises:
        OperationFailed: nobody listens there, or says nothing within `ANSWER_SECONDS`.
    """
    listening(what, url)
    try:
        # The scheme is http or https: it comes from the platform's own outputs.
        urllib.request.urlopen(url, timeout=ANSWER_SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(what, url, f"no HTTP answer ({error})") from error


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def _unreachable(what: str, url: str, why: str) -> OperationFailed:
    host, port = _address(url)
    return OperationFailed(
        f"{what} cannot be reached: {why}",
        where=f"{host}:{port}",
        hint="mlops-infra status shows whether its Pod runs",
    )
