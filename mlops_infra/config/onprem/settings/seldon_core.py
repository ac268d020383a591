"""Settings of model serving by Seldon Core."""

from __future__ import annotations

from mlops_infra.config.language.section import Section


class SeldonCoreSettings(Section):
    """Settings of model serving by Seldon Core."""
