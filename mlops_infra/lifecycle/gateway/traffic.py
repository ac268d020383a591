"""What the gateway saw of one model version for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrafficSummary:
    """Requests to one version over all its roles: champion, challenger and shadow."""

    requests: int = 0
    errors: int = 0
    p99_ms: float | None = None
    disagreement: float | None = None
    """Share of rows on which it differed from the champion; None where it was not a shadow."""

    @property
    def error_share(self) -> float:
        """Errors by requests; 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """How one version answered one request."""

    reason: str | None = None
    """Why it did not; None where it did."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """Name, datatype and shape of its outputs, -1 for the rows."""

    @property
    def answered(self) -> bool:
        """Whether it did."""
        return self.reason is None
