"""Failures inside the provider; the servicer turns each into the protocol's own form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ProviderError(Exception):
    """Something that the user must hear in one sentence."""


class UnreachableError(ProviderError):
    """The API server does not answer."""


class KindMissingError(ProviderError):
    """The API server does not serve this kind."""


class NotReadyError(Exception):
    """The object exists, but did not become ready; it must still be recorded in state."""

    def __init__(self, live: dict[str, Any], reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.live = live
        self.reasons = tuple(reasons)


class ApiError(ProviderError):
    """The API server answered with a failure (a `Status` object)."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
