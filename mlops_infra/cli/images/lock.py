"""`mlops-infra images lock`."""

from __future__ import annotations

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for


@click.command()
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def lock(names: tuple[str, ...], as_json: bool) -> None:
    """Pin the packages of NAMES, or of all images, to the current versions of Debian and PyPI."""
    from mlops_infra import images

    written = images.lock(names, sink_for(as_json))
    if as_json:
        output.document([str(path) for path in written])
        return
    for path in written:
        output.text(str(path))
