"""What does not fit together, told before anything is installed."""

from __future__ import annotations

from mlops_infra import __version__
from mlops_infra.catalog import matches
from mlops_infra.config import StackConfig
from mlops_infra.config.language.section import SERVING_ENGINES
from mlops_infra.plan.model.choices import Choice
from mlops_infra.plan.model.planned import Finding
from mlops_infra.plan.model.refusals import Refusals


def judge(choices: tuple[Choice, ...], config: StackConfig, refusals: Refusals) -> None:
    """Refuse what this release cannot deploy or the cluster cannot run."""
    for choice in choices:
        _release(choice, refusals)
        _kubernetes(choice, config, refusals)
    _cluster(config, refusals)
    _stores(config, refusals)
    _models(config, refusals)
    _tenants(config, refusals)


def _release(choice: Choice, refusals: Refusals) -> None:
    component = choice.component
    if not component.available:
        message = (
            f"{component.title} cannot be deployed by mlops-infra {__version__}: {component.reason}"
        )
        advice = "set state: external for an existing service, or state: removed"
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


def _stores(config: StackConfig, refusals: Refusals) -> None:
    """What no store of the chosen kind does."""
    sql = config.stores.sql
    if sql.state == "managed" and sql.engine == "cloudnative-pg" and sql.retain:
        message = "CloudNativePG deletes its volumes with its servers"
        advice = "remove the key, and keep them with `down --keep-data`"
        refusals.add(("stores", "sql", "retain"), message, advice)


def _models(config: StackConfig, refusals: Refusals) -> None:
    """Servers that read less than today's clients write."""
    kserve = config.components.kserve
    managed = [name for name in SERVING_ENGINES if config.components[name].state == "managed"]
    if any(config.network.images.of(name) == "upstream" for name in managed):
        message = (
            "upstream's MLServer holds MLflow 2.19, which reads no scikit-learn model that MLflow "
            "3.14 or later saved without serialization_format='cloudpickle'; images: built does"
        )
        refusals.note(Finding("compatibility", "network.images", message))
    if kserve.state == "managed" and kserve.settings.torchserve:
        message = "TorchServe is no longer maintained: there are no security fixes"
        refusals.note(Finding("compatibility", "components.kserve.settings.torchserve", message))


def _tenants(config: StackConfig, refusals: Refusals) -> None:
    """Walls that the stack's own choices leave open, and notebooks that would share a name."""
    if not config.tenants:
        return
    if config.components.mlflow.state == "managed" and not config.components.mlflow.settings.auth:
        path = "components.mlflow.settings.auth"
        message = "without a login, tenants see each other's experiments and models"
        refusals.note(Finding("compatibility", path, message))
    if config.components.kubeflow_pipelines.state == "managed" and len(config.tenants) > 1:
        message = (
            "its metadata server and its cache know no tenants: what one team's Pods write there, "
            "those of another can read and change; runs, artifacts and keys are apart"
        )
        refusals.note(Finding("compatibility", "components.kubeflow-pipelines", message))
    if config.stores.object.state == "external":
        for name in (each for each, tenant in config.tenants.items() if tenant.secret is None):
            message = (
                "has no credentials of its own: it uses the store's and can access every bucket"
            )
            refusals.note(Finding("compatibility", f"tenants.{name}.secret", message))
    if not config.cluster.embedded and not config.cluster.api_server:
        message = "is not set, so Pods of tenants may connect to ports 443 and 6443 of any address"
        refusals.note(Finding("compatibility", "cluster.apiServer", message))
