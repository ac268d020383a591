"""`mlops-infra status`: desired and actual state, with the reasons of differences."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options
from mlops_infra.errors import FoundError


@click.command()
@options.stack
@options.file
@options.as_json
@click.option(
    "--drift", is_flag=True, help="Also compare with the stack file, and with AWS (slower)."
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Also write an HTML page with a diagram of the platform, links and recent runs.",
)
def command(stack: str, file: Path | None, as_json: bool, drift: bool, page: Path | None) -> None:
    """Show the cluster, the components and their Pods.

    Exit code 3 if anything of the stack is not Ready, was deleted or changed by hand, or differs
    from the configuration.
    """
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.cli.profiles import commands_of
    from mlops_infra.progress import quiet

    opened = OpenStack(stack, file, quiet)
    if problems := commands_of(opened).status(drift=drift, page=page, as_json=as_json):
        raise FoundError(
            f"stack {stack} is not in its desired state",
            problems,
            hint=f"mlops-infra up -s {stack}",
        )
