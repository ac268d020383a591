"""`mlops-infra outputs`: the platform contract of a running stack."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.outcomes import show_outputs
from mlops_infra.errors import InputError


@click.command()
@options.stack
@options.file
@options.as_json
def command(stack: str, file: Path | None, as_json: bool) -> None:
    """Print the endpoints and versions of the platform."""
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.progress import quiet

    found = OpenStack(stack, file, quiet).outputs
    if not found:
        raise InputError(
            f"stack {stack} was never fully deployed", hint=f"mlops-infra up -s {stack}"
        )
    if as_json:
        output.document(dict(found))
    else:
        show_outputs(found)
