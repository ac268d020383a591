"""The on-prem profile: from configuration to plan to resources and outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pulumi
from pulumi import ResourceOptions

from mlops_infra import __version__, places
from mlops_infra.components import contract, passwords
from mlops_infra.components.onprem import OnPremPlatform, cluster_provider
from mlops_infra.components.protection import protecting
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.config import StackConfig
from mlops_infra.errors import MissingError
from mlops_infra.images import references
from mlops_infra.plan import make_plan

NODE_VARIABLE = "MLOPS_INFRA_NODE_ADDRESS"


def build(config: StackConfig, *, stack: str) -> None:
    """Declare the whole platform and export what it promises.

    Raises:
        MlopsError: a gate refuses the plan, or a secret cannot be read.
    """
    plan = make_plan(config, stack=stack, built=references())
    if config.protect:
        pulumi.runtime.register_resource_transform(protecting(config.allow_replace))
    provider = cluster_provider(
        _identifier(config, stack),
        kubeconfig=_kubeconfig(config, stack),
        context=config.cluster.context,
    )
    OnPremPlatform(
        plan,
        stack=stack,
        charts=places.project() / "charts",
        values=SecretValues(stack, passwords.seed(), config.secrets),
        opts=ResourceOptions(providers=[provider]),
    )
    for name, value in _outputs(dict(plan.outputs)).items():
        pulumi.export(name, value)


def _outputs(planned: dict[str, object]) -> dict[str, object]:
    try:
        return contract.promised(
            planned, node=os.environ.get(NODE_VARIABLE) or None, version=__version__
        )
    except ValueError as error:
        raise MissingError(
            str(error), where=NODE_VARIABLE, hint='eval "$(mlops-infra env -s STACK)"'
        ) from error


def _identifier(config: StackConfig, stack: str) -> str:
    if config.cluster.embedded:
        return f"embedded/{config.cluster.name or stack}"
    return f"context/{config.cluster.context or 'current'}"


def _kubeconfig(config: StackConfig, stack: str) -> Path | None:
    if config.cluster.embedded:
        return places.data() / "clusters" / (config.cluster.name or stack) / "kubeconfig"
    return Path(config.cluster.kubeconfig).expanduser() if config.cluster.kubeconfig else None
