"""Pipelines: defined once, checked here, run by any engine.

People write `from mlops_infra.lifecycle.pipeline import step`; programs take `Pipeline` and hand
it to `argo`, `kfp`, `sagemaker` or `local`. Nothing heavy is imported here.
"""

from mlops_infra.lifecycle.pipeline.definition.decorator import Metrics, Model, step
from mlops_infra.lifecycle.pipeline.definition.model import (
    Code,
    Parameter,
    Pipeline,
    Resources,
    Source,
    Step,
)

__all__ = [
    "Code",
    "Metrics",
    "Model",
    "Parameter",
    "Pipeline",
    "Resources",
    "Source",
    "Step",
    "step",
]
