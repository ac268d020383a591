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
    help="A bundle or a receipt whose images stay; repeat it for several.",
)
@click.option("-s", "--stack", metavar="NAME", help="Spare what runs in this stack's cluster.")
@click.option("--file", type=_PATH, metavar="PATH", help="The stack's file.")
@click.option(
    "--running",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="Spare these images, one a line; `-` reads from stdin.",
)
@click.option("--no-cluster", is_flag=True, help="No Pod uses this registry.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@options.as_json
def command(
    old: tuple[Path, ...],
    registry: str,
    keep: tuple[Path, ...],
    settings: Settings,
    stack: str | None,
    file: Path | None,
    running: IO[str] | None,
    no_cluster: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove what the RECEIPTs of earlier pushes name, and nothing of --keep or a Pod uses.

    What somebody else put into the registry is never touched. `kubectl get pods -A -o
    jsonpath='{..imageID}'` tells what runs, for --running.
    """
    from offline_bundle.prune.pruning import prune

    if not (stack or running or no_cluster):
        raise InputError(
            "nobody said which Pods use this registry",
            hint="-s STACK, or --running FILE, or --no-cluster where there are none",
        )
    sink = render.sink_for(as_json)
    images = set(_lines(running)) if running else set()
    if stack:
        images |= _images_of(stack, file)
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
        output.text(f"stays, a Pod uses it: {name}")


def _lines(file: IO[str]) -> list[str]:
    return [word for line in file for word in line.split()]


def _images_of(stack: str, file: Path | None) -> set[str]:
    """Images of all Pods of the stack's cluster: as they are written, and as they were resolved."""
    from mlops_infra.cli.access import kubeconfig_of
    from mlops_infra.config import load, stack_file
    from mlops_infra.engine.running_images import running_images

    return running_images(*kubeconfig_of(stack, load(file or stack_file(stack))))
