"""`mlops-infra images prune`."""

from __future__ import annotations

import click

from mlops_infra.cli import options, output


@click.command()
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
    """Remove images from the cache that no recipe uses any more, and pulled ones.

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
