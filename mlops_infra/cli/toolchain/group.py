"""Install and list the pinned programs."""

from __future__ import annotations

import click

from mlops_infra.cli.toolchain.install import install
from mlops_infra.cli.toolchain.list import list_
from mlops_infra.cli.toolchain.prune import prune


@click.group(name="toolchain")
def command() -> None:
    """Install and list the pinned programs.

    Each comes from the first source with exactly the pinned version: PATH, the cache, an offline
    bundle, the project's release archive (checked against a pinned hash), the Go module.
    """


for _each in (install, list_, prune):
    command.add_command(_each)
