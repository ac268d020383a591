"""`mlops-infra bundle lock`: tags become digests, names become sizes and licences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options
from mlops_infra.cli.bundle.registry import registry_settings
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from offline_bundle.locking import Locked
    from offline_bundle.registry import Settings


@click.command()
@bundle_options.stack
@click.option(
    "-o",
    "--output",
    "target_file",
    type=bundle_options.FILE,
    default=Path("bundle.lock"),
    show_default=True,
    metavar="FILE",
    help="Lock file to write; an existing one shows which tags have moved.",
)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="OS/ARCH",
    help="Platform of images, or `all`; repeatable (default: that of the target).",
)
@bundle_options.additions
@bundle_options.target
@registry_settings
@options.as_json
def lock(
    stack: str | None,
    stack_file: Path | None,
    target_file: Path,
    platforms: tuple[str, ...],
    settings: Settings,
    as_json: bool,
    **given: Any,
) -> None:
    """Resolve exactly what a bundle will contain.

    Tags become digests; every blob has its size, every item its licence and what requires it. The
    same inputs give the same file, so that diffs are readable. Credentials come from Docker's
    configuration and its helpers.
    """
    from offline_bundle import lockfile
    from offline_bundle.locking import make_lock

    previous = lockfile.read_lock(target_file) if target_file.exists() else None
    needs = bundle_options.needs(stack, stack_file, as_json, given, settings)
    locked = make_lock(needs, settings, sink_for(as_json), previous=previous, platforms=platforms)
    lockfile.write_lock(locked.lock, target_file)
    if as_json:
        output.document(_as_dict(target_file, locked))
    else:
        _show(target_file, locked)


def _show(file: Path, locked: Locked) -> None:
    for line in locked.moved:
        output.text(f"moved: {line}")
    for note in locked.notes:
        output.text(f"note: {note}")
    lock = locked.lock
    output.text(f"{file}: {len(lock.images)} images, {len(lock.files)} files, {lock.size:,} bytes")
    output.text(f"next: mlops-infra bundle build {file} -o DIR")


def _as_dict(file: Path, locked: Locked) -> dict[str, object]:
    lock = locked.lock
    return {
        "lock": file,
        "stack": lock.stack,
        "images": {image.reference: image.digest for image in lock.images},
        "files": len(lock.files),
        "bytes": lock.size,
        "moved": locked.moved,
        "notes": locked.notes,
    }
