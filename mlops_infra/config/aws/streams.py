"""Data that arrives as it happens: Kinesis in front, Firehose behind."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.aws.values import Folder
from mlops_infra.config.language.section import Section


class Stream(Section):
    """Records that are put into a stream become files of the lake."""

    path: Folder
    """Folder that the files go to, for example `raw/clicks`."""
    shards: Annotated[int, Field(ge=1, le=500)] | None = None
    """Fixed number of shards (default: on demand)."""
    retention_hours: Annotated[int, Field(ge=24, le=8_760)] = 24
    """How long a record can be read again."""
    buffer_seconds: Annotated[int, Field(ge=60, le=900)] = 300
    """Maximum time until a file is written."""
    buffer_mb: Annotated[int, Field(ge=1, le=128)] = 64
    """Maximum size until a file is written."""
