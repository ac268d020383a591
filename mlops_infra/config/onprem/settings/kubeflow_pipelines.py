"""Settings of Kubeflow Pipelines."""

from __future__ import annotations

from mlops_infra.config.language.buckets import Bucket
from mlops_infra.config.language.quantities import Size
from mlops_infra.config.language.schedules import TimeZone
from mlops_infra.config.language.section import Section


class KubeflowPipelinesSettings(Section):
    """Settings of Kubeflow Pipelines."""

    bucket: Bucket = "pipelines"
    """Bucket of its own files; artifacts of runs are in their tenant's (3 to 63 characters)."""
    size: Size = "20Gi"
    """Size of the volume of its MySQL server."""
    retain: bool = False
    """Keep that volume on `down`."""
    cache: bool = False
    """Reuse results of equal steps of foreign pipelines; all tenants may write to the list."""
    mlflow: bool = True
    """Record every run in MLflow, if the stack has it."""
    timezone: TimeZone = "UTC"
    """Time zone of schedules, for example `Asia/Seoul`."""
