"""Managed Airflow (MWAA)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.language.section import Section


class AirflowConfig(Section):
    """Scheduled work in Python; costs by the hour, used or not."""

    version: Literal["2.9.2", "2.10.1", "2.10.3", "2.11.0", "3.0.6"] = "2.10.3"
    """Airflow version; those that MWAA still creates."""
    size: Literal["mw1.micro", "mw1.small", "mw1.medium", "mw1.large"] = "mw1.small"
    """Class of the environment."""
    min_workers: Annotated[int, Field(ge=1, le=25)] = 1
    """At least."""
    max_workers: Annotated[int, Field(ge=1, le=25)] = 2
    """Maximum number of workers (MWAA: 25)."""
    dags: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,200}$")] = "airflow/dags"
    """Folder of the DAGs in the artifacts bucket."""
    requirements: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,200}$")] | None = None
    """requirements.txt in the artifacts bucket."""
    access: Literal["private", "public"] = "private"
    """Access to the web page: inside the VPC, or from everywhere with a login."""
