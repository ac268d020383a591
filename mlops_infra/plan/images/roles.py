"""Which image each role gets: one built here, upstream's own, or a copy in the site's registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops_infra.catalog import Component, Image, User
from mlops_infra.config import NetworkConfig, StackConfig
from mlops_infra.naming import fitted
from mlops_infra.plan.model.planned import PlannedImage
from mlops_infra.plan.model.refusals import Refusals

RUNTIME = "runtime"
"""Recipe of the image that steps, notebooks and jobs of the platform run in."""

BUILT_REGISTRY = "mlops-infra.local/"
"""Registry part of references to images built here; it exists nowhere."""


def planned(
    component: Component, network: NetworkConfig, built: Mapping[str, str], refusals: Refusals
) -> tuple[PlannedImage, ...]:
    """The images of a component in the order of the catalog."""
    found = (_planned(component, each, network, built, refusals) for each in component.images)
    return tuple(image for image in found if image is not None)


def settled(component: Component, settings: object) -> Component:
    """The component with the images alone that its settings ask for."""
    images = []
    for image in component.images:
        asked = getattr(settings, image.when) if image.when else True
        if isinstance(asked, str):
            images.append(replace(image, upstream=asked))
        elif asked:
            images.append(image)
    return replace(component, images=tuple(images))


def user(image: Image, network: NetworkConfig) -> User | None:
    """User and group that the chosen image runs as; None: the chart's default fits."""
    return image.built_user if network.images == "built" else image.upstream_user


def simulated(images: tuple[PlannedImage, ...], config: StackConfig) -> bool:
    """Whether the component's Pods can only be shown, not run, on the embedded cluster.

    It runs images made from packages alone; an image that starts a Pod and that no recipe makes
    would have to be pulled from upstream.
    """
    if not config.cluster.embedded or config.network.images != "built":
        return False
    return any(image.phase == "start" and image.recipe is None for image in images)


def _planned(
    component: Component,
    image: Image,
    network: NetworkConfig,
    built: Mapping[str, str],
    refusals: Refusals,
) -> PlannedImage | None:
    override = network.overrides.get(f"{component.name}/{image.role}")
    if override is not None:
        return PlannedImage(component.name, image.role, override, image.phase, recipe=None)
    # What nobody publishes is built here, and pulled from the site's registry.
    ours = network.images == "built" or (image.upstream is None and network.registry)
    recipe = image.recipe if ours else None
    reference = built.get(recipe) if recipe else image.upstream
    if reference is None:
        lacking = f"recipe '{recipe}'" if recipe else f"{network.images} image"
        message = f"no {lacking} exists for {component.title} ({image.role})"
        advice = "set images: built, or a registry with the images built by mlops-infra"
        refusals.add(("network", "images"), message, None if recipe else advice)
        return None
    return PlannedImage(
        component=component.name,
        role=image.role,
        reference=relocated(reference, network.registry),
        phase=image.phase,
        recipe=recipe,
    )


def relocated(reference: str, registry: str | None) -> str:
    """`reference` in the site's registry: the upstream name stays whole as the path.

    Keeping the host in the path keeps two upstream registries apart, and a mirror set up as
    `hosts.toml` serves the very same layout.
    """
    if registry is None:
        return reference
    path = reference.removeprefix(BUILT_REGISTRY)
    if path != reference:
        return f"{registry}/mlops-infra/{path}"
    return f"{registry}/{fitted(path, 255)}"
