"""Images that the file names by hand: they must exist, be allowed, and lie where the site says."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_infra.config import StackConfig
from mlops_infra.plan.images.denylist import denied
from mlops_infra.plan.images.roles import is_upstreams
from mlops_infra.plan.model.choices import Selection
from mlops_infra.plan.model.planned import Finding, PlannedImage
from mlops_infra.plan.model.refusals import Refusals


def judge(selection: Selection, config: StackConfig, refusals: Refusals) -> None:
    """Refuse overrides of what is not there and of what may not be shipped."""
    roles = {
        f"{choice.component.name}/{image.role}": is_upstreams(
            choice.component, image, config.network
        )
        for choice in selection.choices
        for image in choice.component.images
    }
    for role, reference in config.network.overrides.items():
        path = ("network", "overrides", role)
        if role not in roles:
            refusals.add(path, "no component of this stack has such an image", _known(role, roles))
        elif roles[role]:
            continue  # the catalog's own image: the licence gate has judged it
        found = denied(reference)
        if found is None:
            message = f"{reference} is not in the catalog: its licence is unknown"
            refusals.note(Finding("licence", ".".join(path), message))
        elif config.licence.policy == "any" or found.spdx in config.licence.accept:
            refusals.note(Finding("licence", ".".join(path), f"{found.reason} ({found.spdx})"))
        else:
            message = f"{reference}: {found.reason}, which policy '{config.licence.policy}' refuses"
            refusals.add(path, message, f"use {found.alternative}")


def judge_sources(selection: Selection, config: StackConfig, refusals: Refusals) -> None:
    """Refuse exceptions of `network.images` for components that the stack does not have."""
    known = {choice.component.name for choice in selection.choices}
    for name in config.network.images.components:
        if name not in known:
            path = ("network", "images", "components", name)
            advice = "there are: " + ", ".join(sorted(known))
            refusals.add(path, "this stack has no such component", advice)


def judge_closed(images: list[PlannedImage], config: StackConfig, refusals: Refusals) -> None:
    """In a closed network nothing may be pulled from anywhere but the site's registry."""
    registry = config.network.registry
    if config.network.mode != "closed" or registry is None:
        return
    for image in images:
        if not image.reference.startswith(f"{registry}/"):
            role = f"{image.component}/{image.role}"
            message = f"{image.reference} is not in {registry}, and the network is closed"
            refusals.add(("network", "overrides", role), message, f"copy it to {registry}")


def _known(role: str, roles: Iterable[str]) -> str:
    component = role.partition("/")[0]
    near = sorted(each for each in roles if each.startswith(f"{component}/")) or sorted(roles)
    return "there are: " + ", ".join(near)
