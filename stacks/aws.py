"""The AWS profile: its configuration is checked today, its resources come in a later release."""

from __future__ import annotations

import pulumi

from mlops_infra.config import StackConfig
from mlops_infra.images import references
from mlops_infra.plan import make_plan


def build(config: StackConfig) -> None:
    """Refuse.

    Raises:
        PlanError: always, with the reason.
    """
    plan = make_plan(config, stack=pulumi.get_stack(), built=references())
    plan.require_deployable()
