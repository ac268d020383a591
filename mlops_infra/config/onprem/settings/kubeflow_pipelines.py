"""Settings of Kubeflow Pipelines."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import Section, Size


class KubeflowPipelinesSettings(Section):
    """Settings of Kubeflow Pipelines."""

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = "pipelines"
    """Bucket of artifacts (3 to 63 characters, as S3 requires)."""
    size: Size = "20Gi"
    """Size of the volume of its MySQL server."""
    retain: bool = False
    """Keep that volume on `down`."""
    cache: bool = True
    """Reuse results of steps with the same inputs."""
    mlflow: bool = True
    """Record every run in MLflow, if the stack has it."""
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$")] = "UTC"
    """Time zone of schedules, for example `Asia/Seoul`."""
