"""The on-prem profile: from configuration to plan to resources and outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pulumi
from pulumi import ResourceOptions

from mlops_infra import contract, places
from mlops_infra.components import passwords
from mlops_infra.components.onprem import (
    OnPremPlatform,
    annotated,
    cluster_provider,
    without_links,
)
from mlops_infra.components.protection import protecting
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.config import StackConfig
from mlops_infra.errors import MissingError
from mlops_infra.images import answers, references
from mlops_infra.plan import Plan, make_plan
from mlops_infra.plan.named_files import certificates


def build(config: StackConfig, *, stack: str) -> None:
    """Declare the whole platform and export what it promises.

    Raises:
        MlopsError: a gate refuses the plan, or a secret cannot be read.
    """
    known = answers() if config.cluster.embedded else {}
    plan = _for_node(make_plan(config, stack=stack, built=references(), answers=known))
    if config.protect:
        pulumi.runtime.register_resource_transform(protecting(config.allow_replace))
    pulumi.runtime.register_resource_transform(annotated(stack))
    provider = cluster_provider(_identifier(config, stack), context=config.cluster.context)
    values = SecretValues(stack, passwords.seed(), config.secrets)
    network = config.network
    OnPremPlatform(
        plan,
        stack=stack,
        charts=network.charts or str(without_links(places.project() / "charts")),
        values=values,
        authorities=_authorities(config),
        login=values.login(network.registry, network.registry_login)
        if network.registry and network.registry_login
        else None,
        pod_security="restricted" if config.policy == "hardened" else "baseline",
        opts=ResourceOptions(providers=[provider]),
    )
    for name, value in plan.outputs.items():
        pulumi.export(name, value)


def _for_node(plan: Plan) -> Plan:
    """With the embedded node's address, which only the running cluster knows, put in."""
    if not plan.names_node:
        return plan
    address = os.environ.get(contract.NODE_ADDRESS_VARIABLE)
    if not address:
        raise MissingError(
            "the address of the embedded cluster's node is not known",
            where=contract.NODE_ADDRESS_VARIABLE,
            hint=f'eval "$(mlops-infra env -s {plan.stack})", after: '
            f"mlops-infra up -s {plan.stack}",
        )
    return plan.for_node(address)


def _authorities(config: StackConfig) -> str | None:
    if config.network.ca is None:
        return None
    stack_file = os.environ.get(contract.STACK_FILE_VARIABLE)
    return certificates(config.network.ca, Path(stack_file).parent if stack_file else Path.cwd())


def _identifier(config: StackConfig, stack: str) -> str:
    if config.cluster.embedded:
        return f"embedded/{config.cluster.name or stack}"
    return f"context/{config.cluster.context or 'current'}"
