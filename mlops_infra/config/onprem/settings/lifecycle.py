"""Settings of the model gateway, triggers, drift and batch jobs."""

from __future__ import annotations

from mlops_infra.config.language.section import Section, ServingEngine


class LifecycleSettings(Section):
    """Settings of the model gateway, triggers, drift and batch jobs."""

    serving: ServingEngine | None = None
    """Model server of models that name none (default: kserve if managed, else seldon-core)."""
