"""Settings of the scheduler for existing DAGs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import DnsName, Section


class AirflowSettings(Section):
    """Settings of the scheduler for existing DAGs."""

    dags: DnsName | None = None
    """ConfigMap in the namespace airflow with the DAG files (default: those of the image)."""
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$")] = "UTC"
    """Time zone of schedules, for example `Asia/Seoul`."""
