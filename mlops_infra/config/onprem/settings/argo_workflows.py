"""Settings of the workflow engine."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import Section


class ArgoWorkflowsSettings(Section):
    """Settings of the workflow engine."""

    per_tenant: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Workflows that run at one time for one tenant; more of them wait."""
    longest_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 24
    """A workflow that runs longer is stopped, unless it says otherwise itself."""
    keep_days: Annotated[int, Field(ge=0, le=3650)] = 7
    """Days that failed Workflows are kept; succeeded ones one day. Logs stay in the store."""
