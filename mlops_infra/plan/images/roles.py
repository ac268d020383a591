"""Which image each role gets: one built here, upstream's own, or a copy in the site's registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mlops_infra.catalog import Component, Image, User
from mlops_infra.config import NetworkConfig
from mlops_infra.naming import fitted
from mlops_infra.plan.model.planned import PlannedImage
from mlops_infra.plan.model.refusals import Refusals

RUNTIME = "runtime"
"""Recipe of the image that steps, notebooks and jobs of the platform run in."""

BUILT_REGISTRY = "mlops-infra.local/"
"""Registry part of references to images built here; it exists nowhere."""

_NOT_ASKED = "no registry has been asked for it"


@dataclass(frozen=True, slots=True)
class Supply:
    """What images there are: an input of the plan, looked up before it is made."""

    built: Mapping[str, str]
    """Recipe to reference of the images built here."""
    answers: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    """Whether an image that no recipe makes can be had, and why, by its reference."""
    embedded: bool = False
    """Whether an embedded node is to have them; any other cluster pulls by itself."""

    def obtainable(self, reference: str) -> tuple[bool, str]:
        """Whether an image that no recipe makes can be had, and why."""
        return self.answers.get(reference, (False, _NOT_ASKED)) if self.embedded else (True, "")


def planned(
    component: Component, network: NetworkConfig, supply: Supply, refusals: Refusals
) -> tuple[PlannedImage, ...]:
    """The images of a component in the order of the catalog."""
    found = (_planned(component, each, network, supply, refusals) for each in component.images)
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


def user(component: Component, image: Image, network: NetworkConfig) -> User | None:
    """User and group that the chosen image runs as; None: the chart's default fits."""
    return image.built_user if is_ours(component, image, network) else image.upstream_user


def is_ours(component: Component, image: Image, network: NetworkConfig) -> bool:
    """Whether the image is built here, or is another one that takes the place of such a one."""
    if image.recipe is None or is_upstreams(component, image, network):
        return False
    # What nobody publishes is built here, and pulled from the site's registry.
    nobodys = image.upstream is None and network.registry is not None
    return network.images.of(component.name) == "built" or nobodys


def is_upstreams(component: Component, image: Image, network: NetworkConfig) -> bool:
    """Whether `network.overrides` names the very image that the catalog names."""
    override = network.overrides.get(f"{component.name}/{image.role}")
    if override is None or image.upstream is None:
        return False
    return override in (image.upstream, relocated(image.upstream, network.registry))


def _planned(
    component: Component,
    image: Image,
    network: NetworkConfig,
    supply: Supply,
    refusals: Refusals,
) -> PlannedImage | None:
    override = network.overrides.get(f"{component.name}/{image.role}")
    if override is not None:
        why = "named in network.overrides" if supply.embedded else ""
        return PlannedImage(component.name, image.role, override, image.phase, None, why=why)
    recipe = image.recipe if is_ours(component, image, network) else None
    reference = supply.built.get(recipe) if recipe else image.upstream
    if reference is None:
        _refuse(component, image, recipe, network, refusals)
        return None
    reference = relocated(reference, network.registry)
    built_here = (True, "built here") if supply.embedded else (True, "")
    obtainable, why = built_here if recipe else supply.obtainable(reference)
    return PlannedImage(
        component=component.name,
        role=image.role,
        reference=reference,
        phase=image.phase,
        recipe=recipe,
        obtainable=obtainable,
        why=why,
    )


def _refuse(
    component: Component,
    image: Image,
    recipe: str | None,
    network: NetworkConfig,
    refusals: Refusals,
) -> None:
    lacking = f"recipe '{recipe}'" if recipe else f"{network.images.of(component.name)} image"
    message = f"no {lacking} exists for {component.title} ({image.role})"
    advice = "set images: built, or a registry with the images built by mlops-infra"
    refusals.add(("network", "images"), message, None if recipe else advice)


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
