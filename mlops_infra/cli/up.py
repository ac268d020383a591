"""`mlops-infra up`: from whatever is there to what the stack's file says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.outcomes import show
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.engine import Outcome


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

    Objects that were deleted or changed by hand are restored, and so are accounts and rights in
    the managed stores.
    """
    from mlops_infra import engine
    from mlops_infra.cli.guarding import guarding
    from mlops_infra.cli.open_stack import OpenStack

    sink = sink_for(as_json)
    outcome = engine.bring_up(stack, file, sink, guarding, break_lock=break_lock, refresh=refresh)
    if refresh:
        outcome = _stores_put_right(outcome, OpenStack(stack, file, sink))
    if as_json:
        output.document(outcome.as_dict())
        return
    show(outcome)
    output.text()
    output.text(f"next: mlops-infra verify -s {stack}")


def _stores_put_right(outcome: Outcome, opened: OpenStack) -> Outcome:
    from mlops_infra.cli.stores import put_right

    if opened.config.profile != "onprem":
        return outcome
    return replace(outcome, notes=(*outcome.notes, *put_right(opened)))
