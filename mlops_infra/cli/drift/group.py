"""`mlops-infra drift`: looks for drift in what models are asked."""

from __future__ import annotations

import click

from mlops_infra.cli.drift.endpoint import endpoint
from mlops_infra.cli.drift.run import run


@click.group()
def command() -> None:
    """Compare requests to models with their training data."""


for _each in (run, endpoint):
    command.add_command(_each)
