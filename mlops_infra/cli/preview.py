"""`mlops-infra preview`: the changes that `up` would make."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.outcomes import show
from mlops_infra.cli.render import sink_for


@click.command()
@options.stack
@options.file
@options.as_json
def command(stack: str, file: Path | None, as_json: bool) -> None:
    """Show what `up` would change."""
    from mlops_infra import engine

    outcome = engine.preview(stack, file, sink_for(as_json))
    if as_json:
        output.document(outcome.as_dict())
    else:
        show(outcome, planned=True)
