"""The on-prem profile: from configuration to plan to resources and outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pulumi
from pulumi import ResourceOptions

from mlops_infra import places
from mlops_infra.components import passwords
from mlops_infra.components.onprem import OnPremPlatform, cluster_provider
from mlops_infra.components.protection import protecting
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.config import StackConfig
from mlops_infra.errors import MissingError
from mlops_infra.images import references
from mlops_infra.plan import NODE, Plan, make_plan

NODE_VARIABLE = "MLOPS_INFRA_NODE_ADDRESS"


def build(config: StackConfig, *, stack: str) -> None:
    """Declare the whole platform and export what it promises.

    Raises:
        MlopsError: a gate refuses the plan, or a secret cannot be read.
    """
    plan = _for_node(make_plan(config, stack=stack, built=references()))
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
        pod_security="restricted" if config.policy == "hardened" else "baseline",
        opts=ResourceOptions(providers=[provider]),
    )
    for name, value in plan.outputs.items():
        pulumi.export(name, value)


def _for_node(plan: Plan) -> Plan:
    """With the embedded node's address, which only the running cluster knows, put in."""
    if NODE not in repr((plan.outputs, plan.components)):
        return plan
    address = os.environ.get(NODE_VARIABLE)
    if not address:
        raise MissingError(
            "the address of the embedded cluster's node is not known",
            where=NODE_VARIABLE,
            hint=f'eval "$(mlops-infra env -s {plan.stack})", after: '
            f"mlops-infra up -s {plan.stack}",
        )
    return plan.for_node(address)


def _identifier(config: StackConfig, stack: str) -> str:
    if config.cluster.embedded:
        return f"embedded/{config.cluster.name or stack}"
    return f"context/{config.cluster.context or 'current'}"


def _kubeconfig(config: StackConfig, stack: str) -> Path | None:
    if config.cluster.embedded:
        return places.data() / "clusters" / (config.cluster.name or stack) / "kubeconfig"
    return Path(config.cluster.kubeconfig).expanduser() if config.cluster.kubeconfig else None
