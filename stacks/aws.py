"""The AWS profile: from configuration to resources and outputs."""

from __future__ import annotations

from typing import Any

import pulumi

from mlops_infra.components.aws.budget import build_budget
from mlops_infra.components.aws.ecr import build_images
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.platform import AwsPlatform
from mlops_infra.components.aws.services import build_services
from mlops_infra.components.aws.stores import build_stores
from mlops_infra.config import StackConfig
from mlops_infra.images import references
from mlops_infra.plan import make_plan


def build(config: StackConfig, *, stack: str) -> None:
    """Declare the whole platform and export what it promises.

    Raises:
        MlopsError: a gate refuses the plan, or a role asks for too much.
    """
    plan = make_plan(config, stack=stack, built=references())
    plan.require_deployable()
    foundation = AwsPlatform(config, stack=stack).foundation
    found = _components(foundation)
    for name, value in {**plan.outputs, **found}.items():
        pulumi.export(name, value)


def _components(foundation: Foundation) -> dict[str, Any]:
    """Everything on the foundation, in the order of need; outputs that only resources know."""
    build_images(foundation)
    stores = build_stores(foundation)
    build_budget(foundation)
    return stores.outputs | build_services(foundation)
