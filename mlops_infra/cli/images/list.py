"""`mlops-infra images list`."""

from __future__ import annotations

import click

from mlops_infra.cli import options
from mlops_infra.cli.images.listing import show


@click.command(name="list")
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """Show each image with its reference and, if it is built, its digest, size and path."""
    from mlops_infra import images

    show(images.listing(names), as_json)
