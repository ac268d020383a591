"""`mlops-infra bundle remove`: takes an installation away."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options


@click.command()
@bundle_options.root
@options.as_json
def remove(root: Path, as_json: bool) -> None:
    """Remove an installation, and nothing that is not part of one.

    The bundle stays where it is, unless the installation has copied it.
    """
    from offline_bundle.install import remove as run

    was_there = run(root)
    if as_json:
        output.document({"root": root, "removed": was_there})
    else:
        output.text(f"{root}: removed" if was_there else f"{root}: nothing was installed there")
