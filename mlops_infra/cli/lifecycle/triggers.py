"""`mlops-infra lifecycle triggers`: the process that trains models again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
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

    from mlops_infra.lifecycle.pods import assembly
    from mlops_infra.lifecycle.triggers.app import TriggerApp

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    controller = assembly.controller(*assembly.models(models))
    app = TriggerApp(controller, os.environ.get("TRIGGER_TOKEN", ""), tick)
    uvicorn.run(app.app(), host=host, port=port, log_level="warning", access_log=False)
