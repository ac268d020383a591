"""`mlops-infra bundle split`: a bundle over several media."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options
from mlops_infra.cli.render import sink_for


@click.command()
@click.argument("folder", metavar="DIR", type=bundle_options.BUNDLE)
@click.option(
    "-o",
    "--output",
    "out",
    type=bundle_options.FOLDER,
    required=True,
    metavar="OUT",
    help="Folder of the volumes, one subfolder each; hard links on the same disk.",
)
@click.option(
    "--volume-size",
    type=bundle_options.Size(),
    required=True,
    metavar="SIZE",
    help="Size limit of each volume: 4.7GB, 25GB, 4400MiB.",
)
@options.as_json
def split(folder: Path, out: Path, volume_size: int, as_json: bool) -> None:
    """Split a bundle into volumes that fit on one medium each.

    Each volume lists the whole set. Volumes are read in any order, from read-only media, without
    joining them.
    """
    from offline_bundle.volumes import split as run

    made = run(folder, out, volume_size, sink=sink_for(as_json))
    if as_json:
        output.document(made)
        return
    for volume in made.folders:
        output.text(str(volume))
    output.text("next: mlops-infra bundle verify VOLUME... --key PUB")
