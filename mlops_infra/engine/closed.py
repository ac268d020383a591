"""In a closed network a run begins only if the installed bundle holds all that it will need.

What is missing would be noticed anyway, but late, one thing at a time, and by programs that try
hosts which a closed network must never see asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mlops_infra import images, toolchain
from mlops_infra.cluster.bring_up.sources import CONTROL_PLANE, NODE
from mlops_infra.config import StackConfig
from mlops_infra.engine.tools import NEEDED
from mlops_infra.errors import PlanError, Problem
from mlops_infra.plan import Plan
from mlops_infra.plan.images.roles import relocated
from mlops_infra.plan.model.planned import PlannedImage


def refuse_absent(config: StackConfig, plan: Plan, file: Path) -> None:
    """Stop where `network.mode` is closed and something is not in the bundle.

    On a site's own cluster without a bundle, the images are the business of its registry.

    Raises:
        PlanError: with every image and program that is not there.
        InputError: the bundle is not where it was installed from.
    """
    if config.network.mode != "closed":
        return
    bundle = images.bundle_folder()
    if bundle is None and not config.cluster.embedded:
        return
    problems = [*_images(config, plan, bundle), *_programs(config)]
    if not problems:
        return
    if bundle is None:
        hint = "install a bundle and read its environment file: mlops-infra bundle install --help"
    else:
        hint = (
            f"with network access: mlops-infra bundle lock -s {plan.stack} -o bundle.lock,"
            " then build and carry it again"
        )
    raise PlanError(str(file), problems, hint=hint)


def _images(config: StackConfig, plan: Plan, bundle: Path | None) -> Iterator[Problem]:
    registry = config.network.registry
    held = images.bundled_references(bundle) if bundle else {}
    there = {relocated(reference, registry) for reference in held} | set(held)
    if config.cluster.embedded:  # what was pulled before, or the site's own registry has
        there |= {reference for reference, answer in images.answers().items() if answer.there}
    for image in _wanted(plan):
        if image.reference in there or (bundle is None and _built_here(image)):
            continue
        message = f"{image.reference} is not in {bundle or 'a bundle, and none is installed'}"
        yield Problem(f"{image.component}/{image.role}", message)


def _wanted(plan: Plan) -> Iterator[PlannedImage]:
    """What a node will ask for; Pods of a simulated component are never run."""
    yield from plan.node_images
    for component in plan.components:
        if not component.simulated:
            yield from component.images


def _built_here(image: PlannedImage) -> bool:
    """Whether an earlier, connected run left the image in the cache."""
    return image.recipe is not None and images.find(image.recipe) is not None


def _programs(config: StackConfig) -> Iterator[Problem]:
    for name in _tools(config):
        pin = toolchain.pin(name)
        if not toolchain.carries(pin) and toolchain.locate(name) is None:
            yield Problem(name, f"the program {name} {pin.version} is not in the bundle")


def _tools(config: StackConfig) -> Iterable[str]:
    if not config.cluster.embedded:
        return NEEDED
    if config.cluster.simulated:
        return (*NEEDED, *CONTROL_PLANE, "kwok")
    return (*NEEDED, *CONTROL_PLANE, *NODE, "cni-plugins")
