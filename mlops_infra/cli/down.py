"""`mlops-infra down`: removes the platform and lists what remains."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for
from mlops_infra.errors import FoundError, InputError


@click.command()
@options.stack
@options.file
@click.option("--keep-data", is_flag=True, help="Keep the volumes for the next `up`.")
@click.option(
    "--purge",
    is_flag=True,
    help="Also delete protected resources and kept volumes, with all their data.",
)
@click.option("--keep-cluster", is_flag=True, help="Keep the embedded cluster running, empty.")
@click.option(
    "--break-lock",
    is_flag=True,
    help="Override another run's lock on the stack.",
)
@click.option(
    "--forget-unreachable",
    is_flag=True,
    help="The cluster no longer exists: remove its objects from the state.",
)
@click.option(
    "--remove-blockers",
    is_flag=True,
    help="Remove what holds deletions: finalizers without a controller, webhooks and API services "
    "without a server. Each is listed; what it would have cleaned up stays.",
)
@click.option(
    "--remove-finalizers", is_flag=True, hidden=True, deprecated="renamed to --remove-blockers"
)
@options.as_json
def command(
    stack: str, file: Path | None, as_json: bool, remove_finalizers: bool, **flags: bool
) -> None:
    """Remove the platform and list what remains."""
    from mlops_infra.teardown import DownOptions, take_down

    if flags["keep_data"] and flags["purge"]:
        raise InputError("--keep-data and --purge contradict each other", hint="choose one")
    flags["remove_blockers"] |= remove_finalizers
    done = take_down(stack, file, sink_for(as_json), DownOptions(**flags))
    if as_json:
        output.document(done.as_dict())
    else:
        output.text(f"removed: {done.removed} resources")
        for each in done.kept:
            output.text(f"kept: {each}")
        for each in done.cleared:
            output.text(f"out of the way: {each}")
        if done.staying:
            output.text(f"kept for others (cluster.crds: keep): {len(done.staying)} definitions")
    if done.leftovers:
        raise FoundError(
            f"{len(done.leftovers)} objects of stack {stack} remain",
            done.leftovers,
            hint=f"find out why, then run again: mlops-infra down -s {stack}",
        )
    if not as_json:
        output.text("left: nothing")
