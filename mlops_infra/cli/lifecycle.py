"""`mlops-infra lifecycle`: the platform's own processes, which run in its cluster."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Run the platform's own processes; its Pods call this."""


@command.command()
@click.option(
    "--models", type=click.Path(path_type=Path), metavar="FILE", help="File of declared models."
)
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port."
)
@click.option(
    "--tick",
    default=15.0,
    show_default=True,
    type=click.FloatRange(0.2, 600.0),
    help="Polling interval, seconds.",
)
def triggers(models: Path | None, host: str, port: int, tick: float) -> None:
    """Watch schedules, data, metrics, drift and alerts, and retrain models."""
    import logging
    import os

    import uvicorn

    from mlops_infra.lifecycle.pods import assembly as in_cluster
    from mlops_infra.lifecycle.triggers.app import TriggerApp

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    controller = in_cluster.controller(*in_cluster.models(models))
    app = TriggerApp(controller, os.environ.get("TRIGGER_TOKEN", ""), tick)
    uvicorn.run(app.app(), host=host, port=port, log_level="warning", access_log=False)


@command.command()
def gateway() -> None:
    """Run the model gateway: check, route, mirror and log requests until SIGTERM.

    Configured by the environment variables MLOPS_INFRA_GATEWAY_…, PG… and VALKEY_PASSWORD.
    """
    import logging

    from mlops_infra.lifecycle.gateway.core.settings import from_environment
    from mlops_infra.lifecycle.gateway.server import serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    serve(from_environment())


@command.command()
def migrate() -> None:
    """Migrate the lifecycle's database tables; the database is set by PG… variables."""
    from mlops_infra.cli import output
    from mlops_infra.lifecycle.services.database import migrate as migrate_tables

    ran = migrate_tables()
    output.text("\n".join(ran) if ran else "nothing to do: the tables have this release's version")
