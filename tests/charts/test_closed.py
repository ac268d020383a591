"""In a closed network nothing that any chart renders names an image outside the site's registry."""

from __future__ import annotations

from functools import cache

import pytest

from mlops_infra import images
from mlops_infra.config import load, stack_file
from mlops_infra.plan import Plan, PlannedComponent, make_plan
from tests.charts.image_walk import references
from tests.charts.rendering import NODE, STACKS, documents, text

REGISTRY = "registry.closed.example:5000"


@cache
def closed(stack: str) -> Plan:
    """The plan of an example stack, had its site no way out."""
    config = load(stack_file(stack))
    change = {"mode": "closed", "registry": REGISTRY, "proxy": None}
    network = config.network.model_copy(update=change)
    built = {name: f"mlops-infra.local/{name}:0-00000000" for name in images.references()}
    whole = config.model_copy(update={"network": network})
    return make_plan(whole, stack=stack, built=built).for_node(NODE)


def rendered(component: PlannedComponent) -> str:
    return text(component.chart, dict(component.values), component.namespace or None)


@pytest.mark.parametrize("stack", STACKS)
def test_every_image_is_the_registrys(stack: str) -> None:
    for component in closed(stack).components:
        found = references(documents(rendered(component)))
        outside = {each for each in found if not each.startswith(f"{REGISTRY}/")}
        assert outside == set(), component.name


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_pulled_later_is_named_to_whoever_pulls_it(stack: str) -> None:
    for component in closed(stack).components:
        later = [image.reference for image in component.images if image.phase == "run"]
        whole = rendered(component) if later else ""
        assert [each for each in later if each not in whole] == [], component.name
