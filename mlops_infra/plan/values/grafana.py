"""Dashboards."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Where metrics are, and how browsers come in."""
    settings = context.config.components.grafana.settings
    found: Values = {
        **context.volume(settings.size),
        "anonymousViewers": settings.anonymous_viewers,
        "rootUrl": settings.root_url or "",
        "networkPolicy": {"servers": context.component_server("prometheus")},
    }
    metrics = context.url("prometheus")
    return {**found, "prometheus": {"url": metrics.rstrip("/")}} if metrics else found
