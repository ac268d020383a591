"""QuickSight: pictures of what the lake holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.aws.data import Column
from mlops_infra.config.language.section import Section

QuickSightPrincipal = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:quicksight:[a-z0-9-]+:[0-9]{12}:(user|group)/\S+$")
]


class QuickSightConfig(Section):
    """A data source over the Athena workgroup, and one data set a table."""

    owners: Annotated[tuple[QuickSightPrincipal, ...], Field(min_length=1, max_length=64)]
    """QuickSight users or groups with write access; needs a QuickSight subscription."""
    tables: Annotated[tuple[Column, ...], Field(min_length=1, max_length=50)]
    """Names under `glue.tables`."""
