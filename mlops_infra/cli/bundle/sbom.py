"""`mlops-infra bundle sbom`: the bill of materials of a bundle, or of one image."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options


@click.command()
@bundle_options.folders
@click.option(
    "--image",
    metavar="REF",
    help="Print the document inside this image instead of the bundle's.",
)
@options.as_json
def sbom(folders: tuple[Path, ...], image: str | None, as_json: bool) -> None:  # noqa: ARG001
    """Print the bill of materials of the bundle or of one image (CycloneDX).

    The output is JSON with or without --json.
    """
    from offline_bundle.inspect.contents import bill

    output.document(json.loads(bill(folders, image)))
