"""Which tools and images `make test` makes: all but what takes minutes to compile for few stacks.

``python -m tests.made tools`` and ``python -m tests.made images`` print their names. The rest is
made and tried by the tier `kubeflow`.
"""

from __future__ import annotations

import sys

from mlops_infra import images, toolchain
from mlops_infra.catalog import load_catalog
from mlops_infra.images import recipe

APART = ("katib", "trainer")
"""Components whose tests are the tier `kubeflow`."""


def apart() -> tuple[str, ...]:
    """The images that no component but those of `APART` has, sorted."""
    made: dict[bool, set[str]] = {True: set(), False: set()}
    for component in load_catalog():
        names = {image.recipe for image in component.images if image.recipe}
        made[component.name in APART] |= names
    return tuple(sorted(made[True] - made[False]))


def usual() -> tuple[str, ...]:
    """All other images."""
    return tuple(name for name in images.names() if name not in apart())


def tools() -> tuple[str, ...]:
    """The tools that are not for images of `apart` alone."""
    left_out = {tool.name for name in apart() for tool in recipe.load(name).tools}
    return tuple(name for name in toolchain.pins() if name not in left_out)


if __name__ == "__main__":
    sys.stdout.write(" ".join({"tools": tools, "images": usual}[sys.argv[1]]()))
