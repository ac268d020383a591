"""Settings of distributed training."""

from __future__ import annotations

from mlops_infra.config.language.section import Section


class TrainerSettings(Section):
    """Settings of distributed training."""
