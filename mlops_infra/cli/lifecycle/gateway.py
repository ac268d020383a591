"""`mlops-infra lifecycle gateway`: the process that serves models."""

from __future__ import annotations

import click


@click.command()
def gateway() -> None:
    """Run the model gateway: check, route, mirror and log requests until SIGTERM.

    Configured by the environment variables MLOPS_INFRA_GATEWAY_…, PG… and VALKEY_PASSWORD.
    """
    import logging

    from mlops_infra.lifecycle.gateway.core.settings import from_environment
    from mlops_infra.lifecycle.gateway.server import serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    serve(from_environment())
