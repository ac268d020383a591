"""Settings of notebooks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.language.quantities import Size
from mlops_infra.config.language.section import Section


class NotebooksSettings(Section):
    """Settings of notebooks."""

    engine: Literal["jupyterlab", "kubeflow"] = "jupyterlab"
    """One JupyterLab for each member of a tenant, or Kubeflow's notebook controller."""
    size: Size = "2Gi"
    """Size of one person's volume."""
    retain: bool = False
    """Keep a person's volume when the notebook is removed."""
    idle_minutes: Annotated[int, Field(ge=1, le=10_000)] = 60
    """Idle time after which kernels are stopped; saved files are kept."""
