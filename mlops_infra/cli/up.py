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
    help="Override another run's lock on the stack.",
)
@options.refresh
@options.as_json
def command(stack: str, file: Path | None, break_lock: bool, refresh: bool, as_json: bool) -> None:
    """Deploy the platform, or update it.

    Objects that were deleted or changed by hand are restored.
    """
    from mlops_infra import engine
    from mlops_infra.cli.guarding import guarding

    outcome = engine.bring_up(
        stack, file, sink_for(as_json), guarding, break_lock=break_lock, refresh=refresh
    )
    if as_json:
        output.document(outcome.as_dict())
        return
    show(outcome)
    output.text()
    output.text(f"next: mlops-infra verify -s {stack}")
