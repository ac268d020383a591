"""How the program is told which model of the registry is the approved one. Pure.

The program must not ask AWS: a preview has to work without credentials, and two runs of one state
must see the same model. So the engine asks, and tells by a variable.
"""

from __future__ import annotations

from mlops_infra.config import StackConfig

NONE = "none"
"""Stands for the ARN while no package of the group is approved yet."""
LATEST = "latest-approved"


def asks(config: StackConfig) -> bool:
    """Whether an endpoint or a batch of the stack follows the registry."""
    if config.aws is None:
        return False
    served = [v.model for each in config.aws.endpoints.values() for v in each.variants]
    return LATEST in (*served, *(each.model for each in config.aws.batches.values()))
