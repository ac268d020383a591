"""`mlops-infra images build`."""

from __future__ import annotations

import click

from mlops_infra.cli import options
from mlops_infra.cli.images.listing import show
from mlops_infra.cli.render import sink_for


@click.command()
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def build(names: tuple[str, ...], as_json: bool) -> None:
    """Build the images NAMES, or all of them, as OCI layouts in the cache."""
    from mlops_infra import images

    images.build_many(names or images.names(), sink_for(as_json))
    show(images.listing(names), as_json)
