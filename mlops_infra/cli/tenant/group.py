"""`mlops-infra tenant`: who shares the platform, and how one of them leaves."""

from __future__ import annotations

import click

from mlops_infra.cli.tenant.list import list_
from mlops_infra.cli.tenant.remove import remove


@click.group()
def command() -> None:
    """List the tenants of a stack, or remove one from its file."""


for _each in (list_, remove):
    command.add_command(_each)
