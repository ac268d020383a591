"""`mlops-infra up`: from whatever is there to what the stack's file says."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.outcomes import show
from mlops_infra.cli.render import sink_for


@click.command()
@options.stack
@options.file
@click.option(
    "--break-lock",
    is_flag=True,
    help="Take the stack even if another run, on another machine, may still hold it.",
)
@options.as_json
def command(stack: str, file: Path | None, break_lock: bool, as_json: bool) -> None:
    """Bring the platform up, or up to date."""
    from mlops_infra import engine

    outcome = engine.bring_up(stack, file, sink_for(as_json), break_lock=break_lock)
    if as_json:
        output.document(outcome.as_dict())
        return
    show(outcome)
    output.text()
    output.text(f"next: mlops-infra verify -s {stack}")
