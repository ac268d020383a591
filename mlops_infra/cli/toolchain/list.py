"""`mlops-infra toolchain list`."""

from __future__ import annotations

import click

from mlops_infra.cli import options
from mlops_infra.cli.toolchain.listing import show


@click.command(name="list")
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """Show each tool with its version, path and source, without fetching anything."""
    from mlops_infra import toolchain

    show(toolchain.listing(names), as_json)
