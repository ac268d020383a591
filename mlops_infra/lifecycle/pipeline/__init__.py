"""Pipelines: defined once, checked here, run by any engine.

People write `from mlops_infra.pipelines import step`. Nothing heavy is imported here.
"""

from __future__ import annotations

import warnings
from typing import Any

_DECORATOR = ("Metrics", "Model", "step")
_MODEL = ("Code", "Parameter", "Pipeline", "Resources", "Source", "Step")


def __getattr__(name: str) -> Any:
    """The names that were imported from here before `mlops_infra.pipelines` was; deprecated."""
    from mlops_infra.lifecycle.pipeline.definition import decorator, model

    if name in _DECORATOR:
        home, found = "mlops_infra.pipelines", getattr(decorator, name)
    elif name in _MODEL:
        home, found = model.__name__, getattr(model, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        f"import {name} from {home}, not from {__name__}", DeprecationWarning, stacklevel=2
    )
    return found
