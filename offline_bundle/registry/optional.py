"""Requests that a push or a lock can do without: a refusal costs a note, never the work.

Which requests these are, and what each refusal means, is in docs/decisions/0022.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from mlops_infra.transport import HttpError
from mlops_infra.transport.retrying import persist
from offline_bundle.registry.errors import DigestMismatch

ATTEMPTS = 3
"""For a registry that may recover; one that always fails at this must not hold up the rest."""

T = TypeVar("T")


class Notes:
    """What was done without, each text once with its number; safe to use from many threads."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """Note something; the same text again is counted."""
        with self._lock:
            self._found[text] += 1

    def lines(self) -> tuple[str, ...]:
        """One sentence each, sorted."""
        with self._lock:
            return tuple(
                f"{text} ({count} times)" if count > 1 else text
                for text, count in sorted(self._found.items())
            )


def optional(question: Callable[[], T], otherwise: T, refused: Callable[[HttpError], None]) -> T:
    """The answer to `question`; `otherwise` where it is refused, which `refused` notes.

    Raises:
        OSError, http.client.HTTPException: the connection. Who cannot be reached refuses nothing.
        DigestMismatch: it was answered, with something else than was asked for.
    """
    try:
        return persist(question, attempts=ATTEMPTS)
    except DigestMismatch:
        raise
    except HttpError as error:
        refused(error)
        return otherwise
