"""Whether and when to try again. Pure."""

from __future__ import annotations

import datetime
import email.utils
import errno
import http.client
import socket
import ssl
from dataclasses import dataclass

from offline_bundle.registry import RegistryError

ATTEMPTS = 6
"""In a row without progress; a transfer that got on starts to count anew."""
MOST_ATTEMPTS = 200
"""In all: against a server that always gives a little."""
_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 30.0
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a failure."""

    again: bool
    pause: float
    """Seconds that the host is left in peace."""


def judge(error: Exception, attempt: int, total: int, now: datetime.datetime) -> Verdict:
    """Decide after the `attempt`th failure in a row, `total` in all."""
    if attempt >= ATTEMPTS or total >= MOST_ATTEMPTS or not transient(error):
        return Verdict(again=False, pause=0)
    backoff = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (attempt - 1))
    asked = retry_after(error.retry_after, now) if isinstance(error, RegistryError) else None
    return Verdict(again=True, pause=max(backoff, asked or 0.0))


def transient(error: Exception) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, RegistryError):
        return error.status in _TRANSIENT
    if isinstance(error, ssl.SSLCertVerificationError):
        return False
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return True
    lost = (ConnectionError, TimeoutError, http.client.HTTPException, ssl.SSLError)
    return isinstance(error, lost)


def retry_after(value: str | None, now: datetime.datetime) -> float | None:
    """Seconds of a `Retry-After`: a number, or a date; None where it is neither."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=datetime.UTC)
    return max(0.0, (then - now).total_seconds())
