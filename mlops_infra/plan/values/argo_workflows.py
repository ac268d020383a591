"""The workflow engine."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values

_HOUR = 3600
_DAY = 24 * _HOUR


def values(context: Context) -> Values:
    """How much runs at one time, and how long what is left of it stays."""
    settings = context.config.components.argo_workflows.settings
    kept = settings.keep_days * _DAY
    return {
        "parallelism": {"perNamespace": settings.per_tenant},
        "workflow": {
            "deadlineSeconds": settings.longest_hours * _HOUR,
            "keepSeconds": {"succeeded": min(_DAY, kept), "failed": kept},
        },
    }
