"""Build and list the images made from packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from mlops_infra.images import Listed


@click.group(name="images")
def command() -> None:
    """Build and list the images made from packages.

    A recipe lists Debian packages, wheels and static binaries; its lock has their hashes. The same
    recipe and lock give the same digest on any machine.
    """


@command.command()
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def build(names: tuple[str, ...], as_json: bool) -> None:
    """Build the images NAMES, or all of them, as OCI layouts in the cache."""
    from mlops_infra import images

    images.build_many(names or images.names(), sink_for(as_json))
    _show(images.listing(names), as_json)


@command.command(name="list")
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """Show each image with its reference and, if it is built, its digest, size and path."""
    from mlops_infra import images

    _show(images.listing(names), as_json)


@command.command()
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def lock(names: tuple[str, ...], as_json: bool) -> None:
    """Pin the packages of NAMES, or of all images, to the current versions of Debian and PyPI."""
    from mlops_infra import images

    written = images.lock(names or images.names(), sink_for(as_json))
    if as_json:
        output.document([str(path) for path in written])
        return
    for path in written:
        output.text(str(path))


@command.command()
@click.option(
    "--unused-for",
    "days",
    default=14.0,
    show_default=True,
    metavar="DAYS",
    type=click.FloatRange(min=0),
    help="Keep images that were used within this time.",
)
@click.option("--dry-run", is_flag=True, help="List what would be removed, without removing it.")
@options.as_json
def prune(days: float, dry_run: bool, as_json: bool) -> None:
    """Remove images from the cache that no recipe uses any more.

    Every change of the program makes a new image `runtime`; old ones stay until they are pruned.
    """
    from mlops_infra import images

    done = images.prune(days, dry_run=dry_run)
    if as_json:
        output.document({"images": done.images, "layers": done.layers, "freedBytes": done.freed})
        return
    for name in done.images:
        output.text(name)
    verb = "would free" if dry_run else "freed"
    output.text(f"{len(done.images)} images, {done.layers} layers: {verb} {done.freed >> 20} MiB")


def _show(rows: tuple[Listed, ...], as_json: bool) -> None:
    if as_json:
        output.document([row.as_dict() for row in rows])
        return
    output.table(
        ("image", "reference", "digest", "MiB", "user"),
        [
            (
                row.name,
                row.reference,
                row.digest[:19] if row.digest else None,
                None if row.size is None else row.size >> 20,
                row.user,
            )
            for row in rows
        ],
    )
    if missing := [row.name for row in rows if row.digest is None]:
        output.text(f"{len(missing)} not built; mlops-infra images build {' '.join(missing)}")
