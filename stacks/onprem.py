"""The on-prem profile: from configuration to plan to resources and outputs."""

from __future__ import annotations

import os
import re
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
from mlops_infra.images import references
from mlops_infra.plan import Plan, make_plan

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


def build(config: StackConfig, *, stack: str) -> None:
    """Declare the whole platform and export what it promises.

    Raises:
        MlopsError: a gate refuses the plan, or a secret cannot be read.
    """
    plan = _for_node(make_plan(config, stack=stack, built=references()))
    if config.protect:
        pulumi.runtime.register_resource_transform(protecting(config.allow_replace))
    pulumi.runtime.register_resource_transform(annotated(stack))
    provider = cluster_provider(
        _identifier(config, stack),
        kubeconfig=_kubeconfig(config, stack),
        context=config.cluster.context,
    )
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
    """The site's certificates; only their own text goes on, whatever else the file holds."""
    if config.network.ca is None:
        return None
    file = Path(config.network.ca).expanduser()
    try:
        found = _CERTIFICATE.findall(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise MissingError(
            f"the site's certificates cannot be read: {reason}", where=str(file)
        ) from error
    if not found:
        raise MissingError("the file has no certificate", where=str(file), hint="PEM is expected")
    return "\n".join(found) + "\n"


def _identifier(config: StackConfig, stack: str) -> str:
    if config.cluster.embedded:
        return f"embedded/{config.cluster.name or stack}"
    return f"context/{config.cluster.context or 'current'}"


def _kubeconfig(config: StackConfig, stack: str) -> Path | None:
    if config.cluster.embedded:
        return places.data() / "clusters" / (config.cluster.name or stack) / "kubeconfig"
    return Path(config.cluster.kubeconfig).expanduser() if config.cluster.kubeconfig else None
