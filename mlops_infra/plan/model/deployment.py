"""What every part of a plan is made from."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_infra.catalog import Catalog
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import Selection


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stack of the onprem profile, as the plan's steps hand it on."""

    config: StackConfig
    """What the user asks for."""
    selection: Selection
    """What is deployed, and who serves whose needs."""
    catalog: Catalog
    """What there is."""
    stack: str
    """Name of the stack, for labels."""
