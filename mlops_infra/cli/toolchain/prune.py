"""`mlops-infra toolchain prune`."""

from __future__ import annotations

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for


@click.command()
@options.as_json
def prune(as_json: bool) -> None:
    """Remove Go's caches and downloads, which only builds need. The tools stay."""
    from mlops_infra import toolchain

    freed = toolchain.prune(sink_for(as_json))
    if as_json:
        output.document({"freedBytes": freed})
    else:
        output.text(f"freed {freed >> 20} MiB")
