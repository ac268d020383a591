"""Settings of the scheduler for existing DAGs."""

from __future__ import annotations

from mlops_infra.config.language.schedules import TimeZone
from mlops_infra.config.language.section import DnsName, Section


class AirflowSettings(Section):
    """Settings of the scheduler for existing DAGs."""

    dags: DnsName | None = None
    """ConfigMap in the namespace airflow with the DAG files (default: those of the image)."""
    timezone: TimeZone = "UTC"
    """Time zone of schedules, for example `Asia/Seoul`."""
