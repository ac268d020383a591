"""config x catalog -> Plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mlops_infra import contract
from mlops_infra.catalog import Catalog, Component, load_catalog
from mlops_infra.config import ImageSources, StackConfig
from mlops_infra.naming import dns_label
from mlops_infra.plan.aws.planning import aws_plan
from mlops_infra.plan.gates import compatibility, licence
from mlops_infra.plan.images import overrides, reality
from mlops_infra.plan.images.roles import RUNTIME, Supply, planned
from mlops_infra.plan.model.choices import Choice, Selection
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.model.planned import Finding, Plan, PlannedComponent, PlannedImage
from mlops_infra.plan.model.refusals import Refusals
from mlops_infra.plan.network.outputs import outputs
from mlops_infra.plan.ordering import in_order
from mlops_infra.plan.selection import select
from mlops_infra.plan.tenancy import copies as tenant_copies
from mlops_infra.plan.tenancy.surroundings import PodImages
from mlops_infra.plan.tenants import tenants
from mlops_infra.plan.values import Context, values
from mlops_infra.plan.values.secrets import specs


def make_plan(
    config: StackConfig,
    *,
    stack: str,
    built: Mapping[str, str],
    answers: Mapping[str, tuple[bool, str]] = MappingProxyType({}),
    catalog: Catalog | None = None,
) -> Plan:
    """Everything that is to be deployed for `config`; the same input gives the same plan.

    Args:
        config: what the user asks for.
        stack: name of the stack, for labels.
        built: recipe to reference of the images built here, `mlops_infra.images.references()`.
        answers: whether an image that no recipe makes can be had on an embedded node, and why, by
            its reference, `mlops_infra.images.answers()`.
        catalog: what there is; this release's catalog unless a test brings another.

    Raises:
        PlanError: the licence gate, a compatibility rule or this release refuses something.
        InputError: `stack` cannot be a stack's name.
    """
    dns_label(stack, what="stack")
    known = catalog or load_catalog()
    if config.profile == "aws":
        return aws_plan(config, stack)
    return _onprem(config, stack, Supply(built, answers, config.cluster.embedded), known)


def _onprem(config: StackConfig, stack: str, supply: Supply, known: Catalog) -> Plan:
    refusals = Refusals(config.origin)
    selection = select(config, known, refusals)
    licence.judge(selection.choices, config.licence, refusals)
    compatibility.judge(selection.choices, config, refusals)
    images = {
        choice.component.name: planned(choice.component, config.network, supply, refusals)
        for choice in selection.choices
        if choice.component.available
    }
    _note_simulated(selection, images, config, refusals)
    overrides.judge(selection, config, refusals)
    overrides.judge_sources(selection, config, refusals)
    overrides.judge_closed([image for each in images.values() for image in each], config, refusals)
    node_images = _node_images(config, known, supply, refusals)
    refusals.stop_if_any()
    deployment = Deployment(config, selection, known, stack)
    planned_ones = [
        _component(choice, images[choice.component.name], deployment)
        for choice in selection.choices
    ]
    planned_ones += tenants(deployment, _pod_images(images.values()))
    return Plan(
        stack=stack,
        profile=config.profile,
        components=_in_order(planned_ones),
        outputs=outputs(config, selection, known),
        findings=tuple(refusals.findings),
        node_images=node_images,
        file=config.origin.file,
    )


def _note_simulated(
    selection: Selection,
    images: Mapping[str, tuple[PlannedImage, ...]],
    config: StackConfig,
    refusals: Refusals,
) -> None:
    if config.cluster.simulated:
        return  # all of them are, which is said already
    for choice in selection.choices:
        found = images.get(choice.component.name, ())
        if reality.simulated(found):
            message = f"its Pods are simulated: {reality.reason(found)}"
            refusals.note(Finding("compatibility", ".".join(choice.path), message))


def _in_order(components: list[PlannedComponent]) -> tuple[PlannedComponent, ...]:
    by_name = {each.name: each for each in components}
    return tuple(by_name[name] for name in in_order({n: c.needs for n, c in by_name.items()}))


def _pod_images(images: Iterable[tuple[PlannedImage, ...]]) -> PodImages:
    """The images that Pods of tenants run, of whichever component brings them."""
    found = [each for component in images for each in component]
    runtime = (each.reference for each in found if each.recipe == RUNTIME)
    loader = (
        each.reference
        for each in found
        if (each.component, each.role) == ("seldon-core", "storageInitializer")
    )
    return PodImages(next(runtime, None), next(loader, None))


def _component(
    choice: Choice, images: tuple[PlannedImage, ...], of: Deployment
) -> PlannedComponent:
    component, config, selection = choice.component, of.config, of.selection
    assert component.chart  # noqa: S101 - a test reads the catalog
    return PlannedComponent(
        name=component.name,
        version=choice.version,
        namespace=component.namespace or "",
        chart=component.chart,
        values=values(Context(component, of, images)),
        needs=(*selection.needs[component.name], *_tenants_before(component, config)),
        images=images,
        secrets=(
            *specs(component, config, selection),
            *tenant_copies(component, config, selection),
        ),
        stateful=component.stateful,
        simulated=reality.simulated(images),
        why=reality.reason(images),
    )


def _tenants_before(component: Component, config: StackConfig) -> tuple[str, ...]:
    """The tenants, for a component with objects of its own in their namespaces."""
    return (
        tuple(map(contract.tenant_namespace, sorted(config.tenants)))
        if component.in_tenants
        else ()
    )


def _node_images(
    config: StackConfig, catalog: Catalog, supply: Supply, refusals: Refusals
) -> tuple[PlannedImage, ...]:
    if not config.cluster.embedded:
        return ()
    built = ImageSources(default="built")
    network = config.network.model_copy(update={"images": built, "registry": None})
    return tuple(
        image
        for component in catalog
        if component.kind == "node"
        for image in planned(component, network, supply, refusals)
    )
