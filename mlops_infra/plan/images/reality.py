"""Whether the Pods of a component run on the embedded node, and why.

The node has no way out. Pods run where each image that they start from can be had: a recipe builds
it, a bundle holds it, a registry has answered for it, or `network.overrides` names it. All others
go to the simulated node beside it. An image that is pulled later, while the component runs,
decides nothing: what the component does without it is real.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mlops_infra.plan.model.planned import Plan, PlannedComponent, PlannedImage

_PULLED = "the cluster pulls its images"


@dataclass(frozen=True, slots=True)
class ComponentPods:
    """Whether the Pods of one component run."""

    component: str
    pods: Literal["real", "simulated", "none"]
    """none: it consists of other objects."""
    why: str

    def __str__(self) -> str:
        return f"{self.pods}: {self.why}" if self.why else self.pods


def pods_of(plan: Plan, all_simulated: str | None) -> tuple[ComponentPods, ...]:
    """For each component, in the order of installation.

    Args:
        plan: of the stack.
        all_simulated: why the whole cluster runs no Pod; None where it runs some.
    """
    return tuple(_pods(each, all_simulated) for each in plan.components)


def _pods(component: PlannedComponent, all_simulated: str | None) -> ComponentPods:
    if not any(image.phase == "start" for image in component.images):
        return ComponentPods(component.name, "none", "")
    if all_simulated:
        return ComponentPods(component.name, "simulated", all_simulated)
    state: Literal["real", "simulated"] = "simulated" if component.simulated else "real"
    return ComponentPods(component.name, state, component.why or _PULLED)


def simulated(images: Iterable[PlannedImage]) -> bool:
    """Whether the component's Pods can only be shown, not run."""
    return any(not image.obtainable for image in _first(images))


def reason(images: Iterable[PlannedImage]) -> str:
    """Why its Pods are real or simulated; empty where nothing was to be decided."""
    first = _first(images)
    missing = [image for image in first if not image.obtainable]
    if not missing:
        return ", ".join(dict.fromkeys(image.why for image in first))
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"{missing[0].reference}: {missing[0].why}{more}"


def _first(images: Iterable[PlannedImage]) -> list[PlannedImage]:
    return [image for image in images if image.phase == "start"]
