"""Settings of metrics and alerts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.quantities import Size
from mlops_infra.config.language.section import DnsName, Section

Share = Annotated[float, Field(gt=0, lt=1)]


class Thresholds(Section):
    """When the rules of models and volumes raise an alert."""

    error_share: Share = 0.05
    """Share of requests that fail in a model server."""
    latency_seconds: Annotated[float, Field(gt=0)] = 0.5
    """99th percentile of a model server's latency."""
    refused_share: Share = 0.25
    """Share of requests with invalid inputs."""
    silent_hours: Annotated[int, Field(ge=1, le=23)] = 2
    """Hours without predictions, for a model that had some the day before."""
    batch_hours: Annotated[int, Field(ge=1, le=8760)] = 26
    """Hours since the last batch write or drift check."""
    certificate_days: Annotated[int, Field(ge=1, le=365)] = 21
    """Days until a certificate expires."""
    volume_share: Share = 0.1
    """Free share of a volume."""


class PrometheusSettings(Section):
    """Settings of metrics and alerts."""

    size: Size = "5Gi"
    """Size of the volume; the oldest metrics are dropped when it is 80 % full."""
    days: Annotated[int, Field(ge=1, le=3650)] = 15
    """Retention of metrics in days."""
    scrape_seconds: Annotated[int, Field(ge=10, le=300)] = 30
    """Interval of scrapes and rule evaluations, seconds."""
    thresholds: Thresholds = Field(default_factory=Thresholds)
    """Alert thresholds of models and volumes."""
    webhook_secret: DnsName | None = None
    """Secret in namespace monitoring with the key `url` of a webhook for all alerts."""
    slack_secret: DnsName | None = None
    """A Secret in namespace monitoring with the key `url` of a Slack webhook."""
