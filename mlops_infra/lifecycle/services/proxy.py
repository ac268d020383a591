"""Which of the platform's addresses a site's proxy is not asked for."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from mlops_infra.lifecycle.services.endpoints import Platform


def bypass_proxy(platform: Platform) -> None:
    """Reach private addresses without the site's proxy, which cannot reach them.

    Adds them to NO_PROXY of this process.
    """
    hosts = {
        urlsplit(url).hostname
        for url in (platform.tracking_uri, platform.registry_uri, platform.object_endpoint)
        if url
    }
    private = sorted(host for host in hosts if host and _is_private(host))
    for name in ("NO_PROXY", "no_proxy"):
        held = [part for part in os.environ.get(name, "").split(",") if part]
        os.environ[name] = ",".join([*held, *(host for host in private if host not in held)])


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
