"""JupyterLab for everybody who is a member of a tenant."""

from __future__ import annotations

from mlops_infra.plan.network import addresses
from mlops_infra.plan.tenancy.notebooks import MINUTE, entries
from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Who gets one, where `pip` asks, and what notebooks may reach."""
    config, settings = context.config, context.config.components.notebooks.settings
    return {
        "users": entries(config),
        "persistence": {
            "size": settings.size,
            "storageClass": config.cluster.storage_class or "",
            "retain": settings.retain,
        },
        "cull": {"kernelSeconds": settings.idle_minutes * MINUTE},
        "packages": config.network.packages or "",
        "networkPolicy": {"servers": _packages(context)},
    }


def _packages(context: Context) -> list[Values]:
    """Where wheels come from: the site's index, the proxy, or the internet's own."""
    network = context.config.network
    if network.mode == "closed" and not network.packages:
        return []
    # A NetworkPolicy knows addresses, not names: the index opens the ports of the web to all.
    return [{"cidr": "0.0.0.0/0", "port": port} for port in _web_ports(context)]


def _web_ports(context: Context) -> list[int]:
    network = context.config.network
    proxy = network.proxy
    urls = [network.packages, *((proxy.http, proxy.https) if proxy else ())]
    return sorted({443, *(addresses.of_url(url)[1] for url in urls if url)})
