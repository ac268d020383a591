"""Settings of the workflow engine."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import Section


class ArgoWorkflowsSettings(Section):
    """Settings of the workflow engine."""

    per_tenant: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Maximum number of running Workflows per tenant; others wait."""
    longest_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 24
    """Default time limit of a Workflow."""
    keep_days: Annotated[int, Field(ge=0, le=3650)] = 7
    """Retention of failed Workflows in days; successful ones: one day. Logs are kept."""
