"""Settings of the search for hyperparameters."""

from __future__ import annotations

from mlops_infra.config.base import Section


class KatibSettings(Section):
    """Settings of the search for hyperparameters."""
