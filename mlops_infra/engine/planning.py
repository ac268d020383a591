"""The plan of a stack, from what this machine knows."""

from __future__ import annotations

from mlops_infra import images
from mlops_infra.config import StackConfig
from mlops_infra.plan import Plan, make_plan


def plan_of(config: StackConfig, stack: str) -> Plan:
    """The plan, with the images of this machine and what is known of others; asks nobody.

    Raises:
        PlanError: a gate refuses the plan.
    """
    answers = images.answers() if config.cluster.embedded else {}
    return make_plan(config, stack=stack, built=images.references(), answers=answers)
