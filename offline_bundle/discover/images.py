"""Images of a plan: what its components name, and what their rendered objects refer to."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mlops_infra import places
from mlops_infra.config import StackConfig
from mlops_infra.errors import OperationFailed
from mlops_infra.plan import Plan, PlannedComponent, PlannedImage
from mlops_infra.plan.images.roles import BUILT_REGISTRY
from mlops_infra.progress import Sink, step
from offline_bundle import references
from offline_bundle.discover.rendering import Helm
from offline_bundle.discover.walk import objects
from offline_bundle.discover.walk import references as walked
from offline_bundle.discover.wanted import WantedImage, merged
from offline_bundle.model import Found

_ADDRESS = "192.0.2.1"
"""Stands for an embedded node that has no address yet (RFC 5737)."""


def of_plan(
    plan: Plan, config: StackConfig, sink: Sink, bundle: Path | None = None
) -> tuple[WantedImage, ...]:
    """Every image that a deployment of `plan` pulls, at its start or later.

    Pods of a simulated component are never run, so its images are left out.

    Raises:
        OperationFailed: a chart does not render, or refers to an image that has no recipe and no
            registry.
    """
    registry = config.network.registry
    planned = [*plan.node_images, *(i for each in _real(plan) for i in each.images)]
    found = [_planned(image, config) for image in planned]
    recipes = {image.reference: image.recipe for image in found}
    components = [each for each in _real(plan.for_node(_ADDRESS)) if each.chart]
    helm = Helm(sink, bundle)
    with (
        step(sink, "Rendering charts", total=len(components), unit="charts") as work,
        concurrent.futures.ThreadPoolExecutor(2) as pool,
    ):
        for images in pool.map(lambda each: list(_rendered(each, helm, registry)), components):
            found += [replace(each, recipe=recipes.get(each.reference)) for each in images]
            work.advance()
    _require_obtainable(found)
    return merged(found)


def original(reference: str, registry: str | None) -> str:
    """The upstream reference of one that `plan.images.relocated` moved into a site's registry."""
    if registry is None or not reference.startswith(f"{registry}/"):
        return _whole(reference)
    path = reference.removeprefix(f"{registry}/")
    ours = path.removeprefix("mlops-infra/")
    return f"{BUILT_REGISTRY}{ours}" if ours != path else _whole(path)


def _real(plan: Plan) -> list[PlannedComponent]:
    return [component for component in plan.components if not component.simulated]


def _planned(image: PlannedImage, config: StackConfig) -> WantedImage:
    role = f"{image.component}/{image.role}"
    as_written = role in config.network.overrides
    reference = (
        image.reference if as_written else original(image.reference, config.network.registry)
    )
    when = "pulled at its start" if image.phase == "start" else "pulled while it runs"
    place = f"network.overrides.{role}" if as_written else f"plan: {role}, {when}"
    return WantedImage(_whole(reference), (Found(place),), image.recipe)


def _rendered(
    component: PlannedComponent, helm: Helm, registry: str | None
) -> Iterator[WantedImage]:
    folder = places.project() / "charts" / component.chart
    documents = helm.render(folder, values=component.values, namespace=component.namespace)
    for manifest in objects(iter(documents)):
        for reference, place in walked(manifest):
            found = Found(f"charts/{component.chart}: {place}")
            yield WantedImage(original(reference, registry), (found,))


def _require_obtainable(found: Iterable[WantedImage]) -> None:
    for image in found:
        if image.recipe is None and image.reference.startswith(BUILT_REGISTRY):
            raise OperationFailed(
                f"{image.reference} is built by no recipe of this program",
                where="; ".join(place.where for place in image.found),
                hint="name another image in network.overrides",
            )


def _whole(reference: str) -> str:
    return str(references.parse(reference))
