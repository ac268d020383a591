"""`mlops-infra bundle build`: from a lock to a sealed bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options
from mlops_infra.cli.bundle.registry import registry_settings
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from offline_bundle.build import Built
    from offline_bundle.registry import Settings


@click.command()
@click.argument("lock", metavar="LOCK", type=bundle_options.FILE)
@click.option(
    "-o",
    "--output",
    "folder",
    type=bundle_options.FOLDER,
    required=True,
    metavar="DIR",
    help="Output folder: empty, or that of an earlier build, whose content is kept.",
)
@click.option(
    "--sign-key",
    type=bundle_options.FILE,
    metavar="KEY",
    help="Private key to sign with (ECDSA P-256, PEM); `bundle key` creates one.",
)
@click.option(
    "--since",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="Receipt or folders of an earlier bundle, whose content is left out.",
)
@click.option(
    "--volume-size",
    type=bundle_options.Size(),
    metavar="SIZE",
    help="Also split the bundle into volumes of at most this size: 4.7GB, 25GB, 4400MiB.",
)
@click.option(
    "--volumes",
    type=bundle_options.FOLDER,
    metavar="DIR",
    help="Folder of the volumes (default: DIR-volumes beside the bundle).",
)
@click.option("--force", is_flag=True, help="Continue although the disk looks too small.")
@registry_settings
@options.as_json
def build(
    lock: Path,
    folder: Path,
    sign_key: Path | None,
    since: tuple[Path, ...],
    volume_size: int | None,
    volumes: Path | None,
    force: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Fetch, build and sign what LOCK names.

    An interrupted build continues where it stopped, in the middle of a layer too. The same lock
    gives the same files and the same bundle.json on any machine. Mirrors and plain HTTP that were
    given to `bundle lock` count here too; certificates and logins are those of this machine.
    """
    from offline_bundle import lockfile
    from offline_bundle.build import build as run

    if volume_size is not None and volumes is None:
        volumes = folder.with_name(f"{folder.resolve().name}-volumes")
    built = run(
        lockfile.read_lock(lock),
        folder,
        settings,
        sink_for(as_json),
        key=sign_key,
        since=since,
        volumes=volumes,
        volume_size=volume_size,
        force=force,
    )
    if as_json:
        output.document(built)
    else:
        _show(built)


def _show(built: Built) -> None:
    output.text(f"{built.folder}: {built.size:,} bytes, identity {built.identity}")
    output.text(f"blobs: {built.fetched} fetched, {built.present} already present")
    if built.absent:
        output.text(f"in the base only: {built.absent} files")
    for volume in built.volumes:
        output.text(f"volume: {volume}")
    if not built.signed:
        output.text("not signed: it can be changed unnoticed on its way; see --sign-key")
    output.text(f"next: mlops-infra bundle verify {built.folder}")
