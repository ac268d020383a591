"""Build images from packages, and pull upstream's."""

from __future__ import annotations

import click

from mlops_infra.cli.images.build import build
from mlops_infra.cli.images.list import list_
from mlops_infra.cli.images.lock import lock
from mlops_infra.cli.images.prune import prune
from mlops_infra.cli.images.pull import pull


@click.group(name="images")
def command() -> None:
    """Build images from packages, and pull upstream's.

    A recipe lists Debian packages, wheels and static binaries; its lock has their hashes. The same
    recipe and lock give the same digest on any machine.
    """


for _each in (build, list_, lock, prune, pull):
    command.add_command(_each)
