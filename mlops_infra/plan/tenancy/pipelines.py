"""What a tenant has of Kubeflow Pipelines: runs in its own namespace, under its own accounts."""

from __future__ import annotations

from typing import Any

from mlops_infra import contract
from mlops_infra.config import StackConfig
from mlops_infra.plan.model.choices import Selection
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.model.planned import Generated, Literal, SecretSpec, SecretValue
from mlops_infra.plan.network import addresses, peers
from mlops_infra.plan.network.peers import Peer

NAME = "kubeflow-pipelines"
PORTS = ("api", "grpc", "metadata")
"""What Pods of runs, and those who start them, connect to."""


def offered(config: StackConfig, selection: Selection) -> bool:
    """Whether tenants can run pipelines on it."""
    return NAME in selection or config.components[NAME].state == "external"


def url(of: Deployment) -> str | None:
    """Its API server, for Pods of the cluster; None where there is none."""
    wanted = of.config.components[NAME]
    if wanted.state == "external":
        return wanted.endpoint
    component = of.catalog[NAME]
    return addresses.inside(component, component.port("api")) if NAME in of.selection else None


def values(of: Deployment) -> dict[str, Any]:
    """`pipelines` of the chart `tenant`."""
    return {"enabled": offered(of.config, of.selection), "mlflowLogin": _login(of)}


def secrets(tenant: str, of: Deployment) -> tuple[SecretSpec, ...]:
    """The tenant's login for MLflow, under the name that Kubeflow Pipelines insists on."""
    if not _login(of):
        return ()
    account = contract.tenant_namespace(tenant)
    keys: dict[str, SecretValue] = {
        "username": Literal(account),
        "password": Generated(f"{account}-mlflow"),
    }
    return (SecretSpec("kfp-mlflow-credentials", account, keys),)


def servers(of: Deployment) -> list[Peer]:
    """Where Pods of a tenant may connect to for it."""
    wanted = of.config.components[NAME]
    component = of.catalog[NAME]
    ports = [component.port(name) for name in PORTS]
    if NAME in of.selection:
        return [peers.server(component, port) for port in ports]
    if wanted.state == "external" and wanted.endpoint:
        host, port = addresses.of_url(wanted.endpoint)
        return [peers.outside(host, each) for each in sorted({port, *(p.number for p in ports)})]
    return []


def _login(of: Deployment) -> bool:
    """Whether its plug-in for MLflow needs one: it is on where Kubeflow Pipelines is managed."""
    components = of.config.components
    return (
        NAME in of.selection
        and components.kubeflow_pipelines.settings.mlflow
        and "mlflow" in of.selection
        and components.mlflow.settings.auth
    )
