"""Which components a stack gets from this kit, who serves whose needs, and in which order."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_infra.catalog import Catalog
from mlops_infra.config import ComponentConfig, StackConfig
from mlops_infra.plan.images.roles import settled
from mlops_infra.plan.model.choices import STORES, Choice, Selection, engine, store
from mlops_infra.plan.model.refusals import Refusals
from mlops_infra.plan.ordering import in_order, with_wishes
from mlops_infra.plan.providing import CRDS, providers, wished


def select(config: StackConfig, catalog: Catalog, refusals: Refusals) -> Selection:
    """What is managed, and what it needs; needs that nobody serves are refused."""
    choices = {choice.component.name: choice for choice in _asked_for(config, catalog)}
    choices |= _implied(choices, catalog)
    chosen = [choice.component for choice in choices.values()]
    hard = {
        name: providers(each, chosen, config, catalog, refusals) for name, each in choices.items()
    }
    needs, later = with_wishes(hard, {c.name: wished(c, chosen) for c in chosen})
    order = in_order(needs)
    if stuck := sorted(set(choices) - set(order)):
        message = f"{', '.join(stuck)} depend on each other, so none can be installed first"
        refusals.add(("components",), message)
    return Selection(tuple(choices[name] for name in (*order, *stuck)), needs, later)


def _asked_for(config: StackConfig, catalog: Catalog) -> list[Choice]:
    found = []
    for name in STORES:
        if store(config, name).state == "managed":
            component = catalog[engine(config, name)]
            found.append(Choice(component, ("stores", name, "engine"), component.version))
    for title, wanted in config.components.by_name():
        if wanted.state == "managed":
            component = settled(catalog[_deployed(title, wanted)], wanted.settings)
            version = wanted.version or component.version
            found.append(Choice(component, ("components", title), version))
    return found


def _deployed(title: str, wanted: ComponentConfig) -> str:
    """The catalog's name of what a section asks for: notebooks have two engines."""
    kubeflow = getattr(wanted.settings, "engine", None) == "kubeflow"
    return f"kubeflow-{title}" if kubeflow else title


def _implied(choices: Mapping[str, Choice], catalog: Catalog) -> dict[str, Choice]:
    """The CustomResourceDefinitions, where anybody has resources of its own."""
    asking = next((each for each in choices.values() if each.component.crds), None)
    if asking is None:
        return {}
    return {CRDS: Choice(catalog[CRDS], asking.path, catalog[CRDS].version)}
