"""Build and list the images made from packages."""

from __future__ import annotations

import click

from mlops_infra.cli.images.build import build
from mlops_infra.cli.images.list import list_
from mlops_infra.cli.images.lock import lock
from mlops_infra.cli.images.prune import prune


@click.group(name="images")
def command() -> None:
    """Build and list the images made from packages.

    A recipe lists Debian packages, wheels and static binaries; its lock has their hashes. The same
    recipe and lock give the same digest on any machine.
    """


for _each in (build, list_, lock, prune):
    command.add_command(_each)
