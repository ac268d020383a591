"""What every chart of the platform takes."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.catalog import Component
from mlops_infra.config import StackConfig
from mlops_infra.plan.images.reality import simulated
from mlops_infra.plan.network import addresses, peers, site
from mlops_infra.plan.values.context import Context, Values


def common(context: Context) -> Values:
    """Images, labels, Service, clients, the site's network, and where Pods go."""
    component, config = context.component, context.config
    labels: Values = {"commonLabels": {contract.STACK_LABEL: context.stack}}
    if component.namespace is None:
        return labels
    return {
        **labels,
        "images": {image.role: image.reference for image in context.images},
        "service": _service(component, config),
        "networkPolicy": {"enabled": True, "clients": _clients(context)},
        **site.values(config),
        **(_simulated() if simulated(context.images) else {}),
    }


def _clients(context: Context) -> list[Values]:
    tenants = context.tenant_clients if peers.serves_tenants(context.component) else []
    return [*context.clients, *tenants]


def _service(component: Component, config: StackConfig) -> Values:
    exposed = addresses.node_port(component.ports[0], config) if component.ports else None
    if exposed is None:
        return {"type": "ClusterIP"}
    return {"type": "NodePort", "nodePort": exposed}


def _simulated() -> Values:
    """Only the simulated node, which no image is ever pulled to."""
    toleration = {"key": contract.SIMULATED_LABEL, "operator": "Equal", "value": "true"}
    return {
        "nodeSelector": {contract.SIMULATED_LABEL: "true"},
        "tolerations": [{**toleration, "effect": "NoSchedule"}],
    }
