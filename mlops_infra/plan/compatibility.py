"""What does not fit together, told before anything is installed."""

from __future__ import annotations

from mlops_infra import __version__
from mlops_infra.catalog import matches
from mlops_infra.config import StackConfig
from mlops_infra.plan.model import Finding
from mlops_infra.plan.refusals import Refusals
from mlops_infra.plan.selection import Choice


def judge(choices: tuple[Choice, ...], config: StackConfig, refusals: Refusals) -> None:
    """Refuse what this release cannot deploy or the cluster cannot run."""
    for choice in choices:
        _release(choice, refusals)
        _kubernetes(choice, config, refusals)
    _cluster(config, refusals)
    _without_effect(config, refusals)


def _release(choice: Choice, refusals: Refusals) -> None:
    component = choice.component
    if not component.available:
        message = (
            f"{component.title} cannot be deployed by mlops-infra {__version__}: {component.reason}"
        )
        advice = "set state: external if someone else runs it, or state: removed"
        refusals.add(choice.path, message, advice if choice.path[0] == "components" else None)
    elif choice.version != component.version:
        message = f"mlops-infra {__version__} deploys {component.title} {component.version} only"
        refusals.add((*choice.path, "version"), message, "remove the key")


def _kubernetes(choice: Choice, config: StackConfig, refusals: Refusals) -> None:
    version = config.cluster.kubernetes
    if version and not matches(version, choice.component.kubernetes):
        message = f"{choice.component.title} runs on Kubernetes {choice.component.kubernetes}"
        refusals.add(("cluster", "kubernetes"), message)


def _cluster(config: StackConfig, refusals: Refusals) -> None:
    if config.cluster.kubernetes is None:
        message = "the cluster's version is not declared, so `check` could not compare it"
        refusals.note(Finding("compatibility", "cluster.kubernetes", message))
    if config.cluster.simulated:
        message = "nodes are simulated: Pods count as Ready and nothing in them runs"
        refusals.note(Finding("compatibility", "cluster.simulated", message))


def _without_effect(config: StackConfig, refusals: Refusals) -> None:
    """Keys that are understood and checked, and that this release does not act on yet."""
    network = config.network
    given = {
        "network.charts": network.charts,
        "network.packages": network.packages,
        "network.ca": network.ca,
        "network.proxy": network.proxy,
        "tenants": config.tenants,
    }
    for path, value in given.items():
        if value:
            message = f"is checked; mlops-infra {__version__} does nothing with it yet"
            refusals.note(Finding("release", path, message))
