"""What `make tools` builds: all but what stack `kubeflow` alone needs.

``python -m tests.needed images`` and ``python -m tests.needed tools`` print the names. Without
anything in the cache, the programs of that stack compile for half an hour.
"""

from __future__ import annotations

import sys

from mlops_infra import images, toolchain
from mlops_infra.config import load, stack_file
from mlops_infra.images import recipe as recipes
from mlops_infra.plan import make_plan

LATER = "kubeflow"
SOONER = ("core", "sandbox")
"""The other examples that run for real on one machine."""


def later() -> frozenset[str]:
    """Images that stack `kubeflow` has and no other example."""
    return _images(LATER).difference(*map(_images, SOONER))


def names(kind: str) -> list[str]:
    """Names of the images, or of the tools, that every other test may need."""
    without = later()
    kept = [name for name in images.names() if name not in without]
    if kind == "images":
        return kept
    unneeded = _tools(without).difference(_tools(kept))
    return [name for name in toolchain.pins() if name not in unneeded]


def _images(stack: str) -> frozenset[str]:
    plan = make_plan(load(stack_file(stack)), stack=stack, built=images.references())
    return frozenset(
        image.recipe for component in plan.components for image in component.images if image.recipe
    )


def _tools(chosen: frozenset[str] | list[str]) -> set[str]:
    return {
        tool.name for name in chosen for recipe in recipes.lineage(name) for tool in recipe.tools
    }


if __name__ == "__main__":
    sys.stdout.write(" ".join(names(sys.argv[1])) + "\n")
