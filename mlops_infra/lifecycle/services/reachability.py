"""Asks in a moment whether anything answers at a URL, before slow clients are even imported."""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
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


def answering(what: str, url: str, *, headers: Mapping[str, str] | None = None) -> int:
    """Ask for `url` over HTTP and return the status; also one that refuses is an answer.

    Raises:
        OperationFailed: nobody listens there, or says nothing within `ANSWER_SECONDS`.
    """
    listening(what, url)
    # The scheme is http or https: it comes from the platform's own outputs.
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
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
        hint="mlops-infra status -s STACK shows whether its Pod runs",
    )
