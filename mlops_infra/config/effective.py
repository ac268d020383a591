"""The configuration with every default filled in, as `check --effective` shows it."""

from __future__ import annotations

from typing import Any

from mlops_infra.config.stack import StackConfig

_OTHER_PROFILE = {"aws": ("cluster", "components", "stores"), "onprem": ("aws",)}


def effective(config: StackConfig) -> dict[str, Any]:
    """All keys with the values that hold, without the sections of the other profile."""
    values = config.model_dump(mode="json", by_alias=True)
    for key in _OTHER_PROFILE[config.profile]:
        values.pop(key)
    return values
