"""Start, stop, inspect and delete the embedded cluster."""

from __future__ import annotations

import click

from mlops_infra.cli.cluster.delete import delete
from mlops_infra.cli.cluster.start import start
from mlops_infra.cli.cluster.status import status
from mlops_infra.cli.cluster.stop import stop


@click.group(name="cluster")
def command() -> None:
    """Start, stop, inspect and delete the embedded cluster.

    It runs in its own namespaces, continues after this command and keeps its data until `delete`.
    """


for _each in (start, stop, status, delete):
    command.add_command(_each)
