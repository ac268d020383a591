"""`mlops-infra lifecycle`: the platform's own processes, which run in its cluster."""

from __future__ import annotations

import click

from mlops_infra.cli.lifecycle.gateway import gateway
from mlops_infra.cli.lifecycle.migrate import migrate
from mlops_infra.cli.lifecycle.recompute import recompute
from mlops_infra.cli.lifecycle.triggers import triggers


@click.group()
def command() -> None:
    """Run the platform's own processes; its Pods call this."""


for _each in (triggers, gateway, migrate, recompute):
    command.add_command(_each)
