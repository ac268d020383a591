"""Which image each role gets: one built here, upstream's own, or a copy in the site's registry."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_infra.catalog import Component, Image, User
from mlops_infra.config import NetworkConfig
from mlops_infra.naming import fitted
from mlops_infra.plan.model import PlannedImage
from mlops_infra.plan.refusals import Refusals

BUILT_REGISTRY = "mlops-infra.local/"
"""Registry part of references to images built here; it exists nowhere."""


def planned(
    component: Component, network: NetworkConfig, built: Mapping[str, str], refusals: Refusals
) -> tuple[PlannedImage, ...]:
    """The images of a component in the order of the catalog."""
    found = (_planned(component, each, network, built, refusals) for each in component.images)
    return tuple(image for image in found if image is not None)


def user(image: Image, network: NetworkConfig) -> User | None:
    """User and group that the chosen image runs as; None: the chart's default fits."""
    return image.built_user if network.images == "built" else image.upstream_user


def _planned(
    component: Component,
    image: Image,
    network: NetworkConfig,
    built: Mapping[str, str],
    refusals: Refusals,
) -> PlannedImage | None:
    recipe = image.recipe if network.images == "built" else None
    reference = built.get(recipe) if recipe else image.upstream
    if reference is None:
        lacking = f"recipe '{recipe}'" if recipe else f"{network.images} image"
        message = f"there is no {lacking} for {component.title} ({image.role})"
        refusals.add(("network", "images"), message)
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
