"""Settings of metrics and alerts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import DnsName, Section, Size

Share = Annotated[float, Field(gt=0, lt=1)]


class Thresholds(Section):
    """When the rules of models and volumes raise an alert."""

    error_share: Share = 0.05
    """Share of requests that a model server failed on."""
    latency_seconds: Annotated[float, Field(gt=0)] = 0.5
    """99th percentile of a model server's answers."""
    refused_share: Share = 0.25
    """Share of requests that the gateway refused because of their inputs."""
    silent_hours: Annotated[int, Field(ge=1, le=23)] = 2
    """Hours without any prediction, for a model that had some the day before."""
    batch_hours: Annotated[int, Field(ge=1, le=8760)] = 26
    """Hours since a batch job last wrote, or drift was last looked for."""
    certificate_days: Annotated[int, Field(ge=1, le=365)] = 21
    """Days before a certificate ends."""
    volume_share: Share = 0.1
    """Free share of a volume."""


class PrometheusSettings(Section):
    """Settings of metrics and alerts."""

    size: Size = "5Gi"
    """Size of the volume; the oldest metrics go when four fifths of it are taken."""
    days: Annotated[int, Field(ge=1, le=3650)] = 15
    """Days that metrics are kept."""
    scrape_seconds: Annotated[int, Field(ge=10, le=300)] = 30
    """Seconds between two looks at each Pod, and at each rule."""
    thresholds: Thresholds = Field(default_factory=Thresholds)
    """When models and volumes raise an alert."""
    webhook_secret: DnsName | None = None
    """A Secret in namespace monitoring with the key `url`: every alert goes there."""
    slack_secret: DnsName | None = None
    """A Secret in namespace monitoring with the key `url` of a Slack webhook."""
