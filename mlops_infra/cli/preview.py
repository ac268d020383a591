"""`mlops-infra preview`: the changes that `up` would make, what they cost, what they need."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.outcomes import show
from mlops_infra.cli.render import sink_for
from mlops_infra.errors import InputError


@click.command()
@options.stack
@options.file
@click.option(
    "--cost",
    is_flag=True,
    help="Profile aws: show a monthly cost estimate instead, from the price table of this release.",
)
@click.option(
    "--permissions",
    is_flag=True,
    help="Profile aws: show the IAM policies for a deployment instead.",
)
@options.refresh
@options.as_json
def command(
    stack: str, file: Path | None, cost: bool, permissions: bool, refresh: bool, as_json: bool
) -> None:
    """Show what `up` would change.

    That includes what was deleted or changed by hand in the cluster or in AWS.

    With profile aws, --cost and --permissions need no credentials, no plugin and no network.
    Without credentials the plain preview lists what the program declares, and what it could not
    compare.
    """
    if cost and permissions:
        raise InputError("--cost and --permissions exclude each other", hint="choose one")
    if cost:
        from mlops_infra.cli.preview_aws import show_cost

        show_cost(stack, file, as_json=as_json)
        return
    if permissions:
        from mlops_infra.cli.preview_aws import show_permissions

        show_permissions(stack, file)
        return
    from mlops_infra import engine
    from mlops_infra.cli.guarding import guarding

    outcome = engine.preview(stack, file, sink_for(as_json), guarding, refresh=refresh)
    if as_json:
        output.document(outcome.as_dict())
    else:
        show(outcome, planned=True)
