"""TLS towards registries: the system's authorities, the site's beside them, client certificates."""

from __future__ import annotations

import ssl

from mlops_infra.errors import InputError
from offline_bundle.registry.settings import Host


def context(host: Host) -> ssl.SSLContext:
    """What connections to `host` are made with.

    Raises:
        InputError: a file of its settings cannot be used.
    """
    found = ssl.create_default_context()
    try:
        if host.ca:
            found.load_verify_locations(host.ca)
        if host.client_certificate:
            found.load_cert_chain(host.client_certificate, host.client_key)
    except (OSError, ssl.SSLError) as error:
        where = ", ".join(filter(None, (host.ca, host.client_certificate, host.client_key)))
        raise InputError(f"a certificate cannot be used: {error}", where=where) from error
    return found
