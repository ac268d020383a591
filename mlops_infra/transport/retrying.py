"""Whether and when to try again; pure but for `persist`, which waits."""

from __future__ import annotations

import datetime
import email.utils
import errno
import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mlops_infra.transport.errors import TROUBLE, HttpError

ATTEMPTS = 6
"""In a row without progress; a transfer that got on starts to count anew."""
MOST_ATTEMPTS = 200
"""In all: against a server that always gives a little."""
_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 30.0
_LONGEST_ASKED_SECONDS = 300.0
"""Of a `Retry-After`; who wants to be left alone for longer gets the next attempt all the same."""
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of a server that may answer the same request later."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a failure."""

    again: bool
    pause: float
    """Seconds that the host is left in peace."""


def persist(
    question: Callable[[], T],
    *,
    attempts: int | None = None,
    told: Callable[[Exception], None] | None = None,
) -> T:
    """Ask until there is an answer, or it is clear that there will be none.

    Args:
        question: raises what is in `TROUBLE`.
        attempts: at most; `ATTEMPTS` where it is None.
        told: called with each failure after which it is asked again.

    Raises:
        HttpError, OSError, http.client.HTTPException: what the last attempt raised.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return question()
        except TROUBLE as error:
            now = datetime.datetime.now(datetime.UTC)
            verdict = judge(error, attempt, attempt, now, attempts=attempts)
            if not verdict.again:
                raise
            if told:
                told(error)
            time.sleep(verdict.pause)


def judge(
    error: Exception,
    attempt: int,
    total: int,
    now: datetime.datetime,
    *,
    attempts: int | None = None,
) -> Verdict:
    """Decide after the `attempt`th failure in a row, `total` in all."""
    most = ATTEMPTS if attempts is None else attempts
    if attempt >= most or total >= MOST_ATTEMPTS or not transient(error):
        return Verdict(again=False, pause=0)
    backoff = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (attempt - 1))
    asked = retry_after(error.retry_after, now) if isinstance(error, HttpError) else None
    return Verdict(again=True, pause=max(backoff, min(asked or 0.0, _LONGEST_ASKED_SECONDS)))


def transient(error: Exception) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, HttpError):
        return error.status in TRANSIENT
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
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=datetime.UTC)
    return max(0.0, (then - now).total_seconds())
