"""Whether the Pods of a component run on the embedded node, and why.

The node has no way out. Pods run where each image that they start from can be had: a recipe builds
it, a bundle holds it, a registry has answered for it, or `network.overrides` names it. All others
go to the simulated node beside it. An image that is pulled later, while the component runs,
decides nothing: what the component does without it is real.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlops_infra.plan.model.planned import PlannedImage


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
