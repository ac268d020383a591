"""What a site's network asks of every Pod: proxy, certificates, and a login at the registry."""

from __future__ import annotations

from typing import Any

from mlops_infra import contract
from mlops_infra.config import StackConfig
from mlops_infra.plan.network import addresses

CA_CONFIG_MAP = "site-ca"
"""ConfigMap with the site's certificates in every namespace of the platform."""
CA_KEY = "ca.crt"
KSERVE_CA_KEY = "cabundle.crt"
"""The same certificates again, under the one name that KServe looks for."""
REGISTRY_LOGIN = "registry-login"
"""Secret in every namespace of the platform that images are pulled with."""

_DIRECT = (
    "localhost",
    "127.0.0.1",
    ".svc",
    ".cluster.local",
    # Pods, Services and nodes; a proxy is for what lies beyond
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
)


def values(config: StackConfig) -> dict[str, Any]:
    """What every chart with Pods takes; empty where the site has none of it."""
    found = pull_secrets(config)
    proxy = config.network.proxy
    if proxy is not None:
        found["proxy"] = {
            "http": proxy.http or "",
            "https": proxy.https or "",
            "noProxy": ",".join(direct(config)),
        }
    if config.network.ca:
        found["trustedCa"] = {"configMap": CA_CONFIG_MAP, "key": CA_KEY}
    return found


def pull_secrets(config: StackConfig) -> dict[str, Any]:
    """`imagePullSecrets` of a chart; empty where the registry asks for no login."""
    if config.network.registry_login is None:
        return {}
    return {"imagePullSecrets": [{"name": REGISTRY_LOGIN}]}


def environment(config: StackConfig) -> dict[str, str]:
    """The same, and the package index, as variables for Pods that people start."""
    found: dict[str, str] = {}
    proxy = values(config).get("proxy", {})
    names = {"HTTP_PROXY": "http", "HTTPS_PROXY": "https", "NO_PROXY": "noProxy"}
    for name, key in names.items():
        if proxy.get(key):
            found |= {name: proxy[key], name.lower(): proxy[key]}
    if config.network.packages:
        index = config.network.packages
        found |= {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index}
    if config.network.ca:
        found[contract.CA_CONFIG_MAP_VARIABLE] = CA_CONFIG_MAP
    return found


def direct(config: StackConfig) -> tuple[str, ...]:
    """Hosts and networks that no Pod reaches through the proxy."""
    found = list(_DIRECT)
    if config.cluster.expose == "nodePort":
        found.append(addresses.node(config))
    stores = config.stores
    external = {"object": stores.object, "sql": stores.sql, "kv": stores.kv}
    found += [
        addresses.external(config, name)[0]
        for name in ("object", "sql", "kv")
        if external[name].state == "external"
    ]
    proxy = config.network.proxy
    return tuple(dict.fromkeys([*found, *(proxy.no_proxy if proxy else ())]))
