"""Settings of dashboards."""

from __future__ import annotations

from mlops_infra.config.language.section import HttpUrl, Section, Size


class GrafanaSettings(Section):
    """Settings of dashboards."""

    anonymous_viewers: bool = False
    """Let people look without signing in; for an edge that has asked who they are."""
    root_url: HttpUrl | None = None
    """URL that browsers use, where it is not the Service's."""
    size: Size = "1Gi"
    """Size of the volume with people's preferences; the dashboards themselves are in the chart."""
