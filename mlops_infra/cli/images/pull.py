"""`mlops-infra images pull`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle.registry import registry_settings
from mlops_infra.cli.render import sink_for
from mlops_infra.errors import FoundError

if TYPE_CHECKING:
    from offline_bundle.registry import Settings


@click.command()
@click.argument("references", nargs=-1, metavar="[REFERENCES]...")
@options.stack
@options.file
@registry_settings
@options.as_json
def pull(
    references: tuple[str, ...],
    stack: str,
    file: Path | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Pull images from registries for a stack's embedded node.

    Without REFERENCES, registries are asked again for all images that the stack's components take
    from them. The node has no way out: this machine pulls, checks every digest, keeps the images
    in its cache and loads them into the node if that runs. An interrupted pull goes on where it
    stopped. Credentials come from Docker's configuration and its helpers.

    Exit code 3 if an image is not available.
    """
    from mlops_infra.engine import upstream_images

    sink = sink_for(as_json)
    found = upstream_images.pull_for_stack(stack, file, references, settings, sink)
    if as_json:
        output.document([each.as_dict() for each in found])
    else:
        output.table(
            ("image", "digest", "MiB", "state"),
            [
                (
                    each.reference,
                    each.digest and each.digest[:19],
                    None if each.size is None else each.size >> 20,
                    each.why or "in the cache",
                )
                for each in found
            ],
        )
    if lacking := [f"{each.reference}: {each.why}" for each in found if each.digest is None]:
        raise FoundError(
            f"{len(lacking)} images are not available",
            lacking,
            hint="their components stay simulated; a mirror is configured with --registries",
        )
