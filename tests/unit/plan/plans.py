"""Plans for tests: references of images are fixed, so that goldens do not follow every recipe."""

from __future__ import annotations

from typing import Any

from mlops_infra.config import load, parse, stack_file
from mlops_infra.plan import Plan, make_plan
from tests.golden import ROOT

RECIPES = sorted(file.stem for file in (ROOT / "recipes").glob("*.yaml"))
BUILT = {name: f"mlops-infra.local/{name}:1-00000000" for name in RECIPES}


def of_stack(stack: str) -> Plan:
    return make_plan(load(stack_file(stack)), stack=stack, built=BUILT)


def of_values(**values: Any) -> Plan:
    config = parse({"profile": "onprem", "environment": "test", **values})
    return make_plan(config, stack="test", built=BUILT)
