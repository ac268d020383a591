"""Every image of a stack with its licence, where that was read, and what the policy says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mlops_infra.catalog import (
    Catalog,
    Component,
    Image,
    Licence,
    alternatives,
    load_catalog,
)
from mlops_infra.config import LicenceConfig, StackConfig
from mlops_infra.plan.gates.licence import PERMISSIVE, passes
from mlops_infra.plan.images.denylist import denied
from mlops_infra.plan.images.roles import is_upstreams
from mlops_infra.plan.making import make_plan
from mlops_infra.plan.model.planned import Plan, PlannedImage

Verdict = Literal["passes", "noted", "accepted", "refused", "unread"]
"""noted: the policy takes it, with duties; accepted: because `licence.accept` names it; unread: an
image named by hand."""


@dataclass(frozen=True, slots=True)
class ImageLicence:
    """One image."""

    image: str
    component: str
    role: str
    version: str
    spdx: str
    source: str
    verdict: Verdict
    alternative: str | None = None
    """What takes its place, where it is refused."""


def licence_report(
    config: StackConfig,
    *,
    stack: str,
    built: Mapping[str, str],
    catalog: Catalog | None = None,
) -> tuple[ImageLicence, ...]:
    """All images that `config` deploys, those of refused components too.

    Raises:
        PlanError: something else than a licence refuses the plan.
    """
    known = catalog or load_catalog()
    # so that what the policy refuses is listed as well
    lenient = LicenceConfig(policy="any", accept=tuple(each.name for each in known))
    open_config = config.model_copy(update={"licence": lenient})
    plan = make_plan(open_config, stack=stack, built=built, catalog=known)
    return tuple(_rows(plan, config, known))


def _rows(plan: Plan, config: StackConfig, catalog: Catalog) -> Iterator[ImageLicence]:
    versions = {each.name: each.version for each in plan.components}
    held = (image for component in plan.components for image in component.images)
    for image in (*held, *plan.node_images):
        component = catalog[image.component]
        version = versions.get(component.name, component.version)
        named = f"{image.component}/{image.role}" in config.network.overrides
        if named and not is_upstreams(component, _of_catalog(image, component), config.network):
            yield _overridden(image, version, config.licence)
        else:
            yield _listed(image, component, version, config.licence)


def _listed(
    image: PlannedImage, component: Component, version: str, policy: LicenceConfig
) -> ImageLicence:
    found = _of_catalog(image, component)
    licence = found.licence or component.licence(version)
    verdict = _verdict(licence, component, policy)
    return ImageLicence(
        image.reference,
        component.name,
        image.role,
        version,
        licence.spdx,
        licence.source,
        verdict,
        component.instead if verdict == "refused" else None,
    )


def _of_catalog(image: PlannedImage, component: Component) -> Image:
    return next(each for each in component.images if each.role == image.role)


def _verdict(licence: Licence, component: Component, policy: LicenceConfig) -> Verdict:
    strict = LicenceConfig(policy=policy.policy)
    if component.acknowledge is not None:
        return "accepted" if component.name in policy.accept else "refused"
    if not passes(licence.spdx, strict, component.name):
        return "accepted" if passes(licence.spdx, policy, component.name) else "refused"
    plain = any(each <= PERMISSIVE for each in alternatives(licence.spdx))
    return "passes" if plain else "noted"


def _overridden(image: PlannedImage, version: str, policy: LicenceConfig) -> ImageLicence:
    found = denied(image.reference)
    if found is None:
        source = f"network.overrides.{image.component}/{image.role}: its licence is unknown"
        return ImageLicence(
            image.reference, image.component, image.role, "-", "NOASSERTION", source, "unread"
        )
    taken = policy.policy == "any" or found.spdx in policy.accept
    return ImageLicence(
        image.reference,
        image.component,
        image.role,
        version,
        found.spdx,
        found.reason,
        "accepted" if taken else "refused",
        None if taken else found.alternative,
    )
