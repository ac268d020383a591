"""Settings of the feature store."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from mlops_infra.config.language.schedules import CronSchedule
from mlops_infra.config.language.section import DnsName, Section

Definition = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}\.py$")]
"""A Python file; Feast imports every file of its repository."""


class FeastSettings(Section):
    """Settings of the feature store."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = "platform"
    """Feast project, the first part of every name in registry and online store."""
    demo: bool = True
    """Create the example `demo_machines`, which `verify` reads."""
    definitions: dict[FileName, Definition] = Field(default_factory=dict)
    """Files with entities and feature views, by name."""
    config_map: DnsName | None = None
    """ConfigMap in namespace feast with more such files, maintained elsewhere."""
    materialize: CronSchedule = "*/15 * * * *"
    """Schedule for copying new rows from the offline to the online store."""
