"""Settings of dashboards."""

from __future__ import annotations

from mlops_infra.config.language.quantities import Size
from mlops_infra.config.language.section import HttpUrl, Section


class GrafanaSettings(Section):
    """Settings of dashboards."""

    anonymous_viewers: bool = False
    """Read access without login; for an edge that already requires one."""
    root_url: HttpUrl | None = None
    """URL for browsers (default: the Service's)."""
    size: Size = "1Gi"
    """Size of the volume with user preferences; dashboards are in the chart."""
