"""`mlops-infra toolchain install`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra import contract
from mlops_infra.cli import options
from mlops_infra.cli.render import sink_for
from mlops_infra.cli.toolchain.listing import show


@click.command()
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@click.option(
    "--bundle",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    envvar=contract.BUNDLE_VARIABLE,
    show_envvar=True,
    metavar="FOLDER",
    help="Unpacked offline bundle to take binaries from.",
)
@options.as_json
def install(names: tuple[str, ...], bundle: Path | None, as_json: bool) -> None:
    """Find, fetch or build the tools NAMES, or all of them."""
    from mlops_infra import toolchain

    toolchain.ensure(names, sink_for(as_json), bundle_folder=bundle)
    show(toolchain.listing(names), as_json)
