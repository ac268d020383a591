"""Settings of the model gateway, triggers, drift and batch jobs."""

from __future__ import annotations

from mlops_infra.config.language.section import Section


class LifecycleSettings(Section):
    """Settings of the model gateway, triggers, drift and batch jobs."""
