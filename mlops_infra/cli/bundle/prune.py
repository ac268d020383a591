"""`mlops-infra bundle prune`: removes from a registry what no bundle and no Pod uses any more."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from mlops_infra.cli import options, output, render
from mlops_infra.cli.bundle.registry import site_registry
from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from offline_bundle.registry import Settings

_PATH = click.Path(path_type=Path)


@click.command(name="prune")
@click.argument("old", nargs=-1, required=True, metavar="RECEIPT...", type=_PATH)
@site_registry
@click.option(
    "--keep",
    type=_PATH,
    multiple=True,
    required=True,
    metavar="PATH",
    help="Bundle or receipt whose images are kept; repeatable.",
)
@click.option(
    "-s", "--stack", metavar="NAME", help="Keep the images in use in this stack's cluster."
)
@click.option(
    "--stack-file",
    type=_PATH,
    metavar="PATH",
    help="Stack file (default: stacks/Pulumi.NAME.yaml).",
)
@click.option(
    "--running",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="Keep the images of this file, one per line; `-` reads from stdin.",
)
@click.option("--no-cluster", is_flag=True, help="Confirm that no Pod uses this registry.")
@click.option("--dry-run", is_flag=True, help="List what would be removed, without removing it.")
@options.as_json
def command(
    old: tuple[Path, ...],
    registry: str,
    keep: tuple[Path, ...],
    settings: Settings,
    stack: str | None,
    stack_file: Path | None,
    running: IO[str] | None,
    no_cluster: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove the images of earlier pushes (RECEIPTs), except those in --keep or in use by Pods.

    Images that other tools pushed are never touched. `kubectl get pods -A -o
    jsonpath='{..imageID}'` lists the images in use, for --running.
    """
    from offline_bundle.prune.pruning import prune

    if not (stack or running or no_cluster):
        raise InputError(
            "it is unknown which Pods use this registry",
            hint="use -s STACK or --running FILE, or --no-cluster if there are none",
        )
    sink = render.sink_for(as_json)
    images = set(_lines(running)) if running else set()
    if stack:
        images |= _images_of(stack, stack_file)
    done = prune(
        registry,
        old,
        keep=keep,
        running=sorted(images),
        settings=settings,
        dry_run=dry_run,
        sink=sink,
    )
    if as_json:
        told = {"dryRun": dry_run, "removed": done.removed, "running": done.running}
        output.document(told)
        return
    if done.removed:
        rows = [(each.name, each.repository, each.digest) for each in done.removed]
        output.table(("image", "repository", "digest"), rows)
    verb = "would remove" if dry_run else "removed"
    output.text(f"{verb} {len(done.removed)} manifests")
    for name in done.running:
        output.text(f"kept, in use by a Pod: {name}")


def _lines(file: IO[str]) -> list[str]:
    return [word for line in file for word in line.split()]


def _images_of(stack: str, file: Path | None) -> set[str]:
    """Images of all Pods of the stack's cluster: as they are written, and as they were resolved."""
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.engine.running_images import running_images
    from mlops_infra.progress import quiet

    return running_images(*OpenStack(stack, file, quiet).kubeconfig)
