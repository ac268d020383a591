"""`mlops-infra env`: for people who prefer plain `pulumi`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for


@click.command()
@options.stack
@options.file
def command(stack: str, file: Path | None) -> None:
    """Print the environment variables for plain `pulumi`.

    eval "$(mlops-infra env -s sandbox)" && pulumi preview -s sandbox
    """
    from mlops_infra import engine

    output.text(engine.exports(stack, file, sink_for(False)))
