"""config x catalog -> Plan."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_infra import __version__
from mlops_infra.catalog import Catalog, load_catalog
from mlops_infra.config import StackConfig
from mlops_infra.errors import Problem
from mlops_infra.naming import dns_label
from mlops_infra.plan import compatibility, licence
from mlops_infra.plan.images import planned
from mlops_infra.plan.model import Finding, Plan, PlannedComponent, PlannedImage
from mlops_infra.plan.outputs import outputs
from mlops_infra.plan.refusals import Refusals
from mlops_infra.plan.secrets import specs
from mlops_infra.plan.selection import Choice, Selection, select
from mlops_infra.plan.values import Context, values

_NOTHING = Selection((), {})


def make_plan(
    config: StackConfig,
    *,
    stack: str,
    built: Mapping[str, str],
    catalog: Catalog | None = None,
) -> Plan:
    """Everything that is to be deployed for `config`; the same input gives the same plan.

    Args:
        config: what the user asks for.
        stack: name of the stack, for labels.
        built: recipe to reference of the images built here, `mlops_infra.images.references()`.
        catalog: what there is; this release's catalog unless a test brings another.

    Raises:
        PlanError: the licence gate, a compatibility rule or this release refuses something.
        InputError: `stack` cannot be a stack's name.
    """
    dns_label(stack, what="stack")
    known = catalog or load_catalog()
    if config.profile == "aws":
        return _aws(config, stack, known)
    return _onprem(config, stack, built, known)


def _onprem(config: StackConfig, stack: str, built: Mapping[str, str], known: Catalog) -> Plan:
    refusals = Refusals(config.origin)
    selection = select(config, known, refusals)
    licence.judge(selection.choices, config.licence, refusals)
    compatibility.judge(selection.choices, config, refusals)
    images = {
        choice.component.name: planned(choice.component, config.network, built, refusals)
        for choice in selection.choices
        if choice.component.available
    }
    node_images = _node_images(config, known, built, refusals)
    refusals.stop_if_any()
    return Plan(
        stack=stack,
        profile=config.profile,
        components=tuple(
            _component(choice, images[choice.component.name], config, selection, known, stack)
            for choice in selection.choices
        ),
        outputs=outputs(config, selection, known),
        findings=tuple(refusals.findings),
        node_images=node_images,
        file=config.origin.file,
    )


def _component(
    choice: Choice,
    images: tuple[PlannedImage, ...],
    config: StackConfig,
    selection: Selection,
    catalog: Catalog,
    stack: str,
) -> PlannedComponent:
    component = choice.component
    assert component.namespace and component.chart  # noqa: S101, PT018 - a test reads the catalog
    return PlannedComponent(
        name=component.name,
        version=choice.version,
        namespace=component.namespace,
        chart=component.chart,
        values=values(Context(component, config, selection, catalog), images, stack),
        needs=selection.needs[component.name],
        images=images,
        secrets=specs(component, config, selection),
        stateful=component.stateful,
    )


def _node_images(
    config: StackConfig, catalog: Catalog, built: Mapping[str, str], refusals: Refusals
) -> tuple[PlannedImage, ...]:
    if not config.cluster.embedded:
        return ()
    network = config.network.model_copy(update={"images": "built", "registry": None})
    return tuple(
        image
        for component in catalog
        if component.kind == "node"
        for image in planned(component, network, built, refusals)
    )


def _aws(config: StackConfig, stack: str, catalog: Catalog) -> Plan:
    message = f"mlops-infra {__version__} checks the aws profile and does not deploy it yet"
    line = config.origin.line(("profile",))
    return Plan(
        stack=stack,
        profile=config.profile,
        components=(),
        outputs=outputs(config, _NOTHING, catalog),
        findings=(Finding("release", "profile", message),),
        refusal=Problem("profile", message, line, "set profile: onprem, or wait for the release"),
        file=config.origin.file,
    )
