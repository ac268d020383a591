"""Settings of Kubeflow Pipelines."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import Section, Size


class KubeflowPipelinesSettings(Section):
    """Settings of Kubeflow Pipelines."""

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = "pipelines"
    """Bucket of what steps hand on (3 to 63 characters: S3's own rule)."""
    size: Size = "20Gi"
    """Size of the volume of its MySQL server."""
    retain: bool = False
    """Keep that volume on `down`."""
    cache: bool = True
    """Take results of steps that ran before with the same inputs."""
    mlflow: bool = True
    """Tell every run to MLflow, where the stack has one."""
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$")] = "UTC"
    """Time zone of schedules, for example `Asia/Seoul`."""
