"""What the gateway saw of one model version for a while."""

from __future__ import annotations

from dataclasses import dataclass


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
