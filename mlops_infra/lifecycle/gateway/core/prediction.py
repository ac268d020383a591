"""One prediction as the log keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table `prediction`; see its migration."""

    prediction_id: str
    role: str
    tenant: str
    model: str
    version: str
    server: str
    at: datetime
    latency_ms: float
    status: int
    request: str | None
    """The client's JSON text; None where it is longer than the log takes."""
    response: str | None
    error: str | None
    disagreement: float | None
    request_key: str | None
    request_id: str | None
