"""Settings of the search for hyperparameters."""

from __future__ import annotations

from mlops_infra.config.language.section import Section


class KatibSettings(Section):
    """Settings of the search for hyperparameters."""
