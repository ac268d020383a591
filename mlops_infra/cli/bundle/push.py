"""`mlops-infra bundle push`: brings a bundle into a site's registry, straight from its media."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output, render
from mlops_infra.cli.bundle.registry import site_registry

if TYPE_CHECKING:
    from offline_bundle.push import Pushed
    from offline_bundle.registry import Settings

_PATH = click.Path(path_type=Path)
_SHOWN = 40


@click.command(name="push")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=_PATH)
@site_registry
@click.option("--key", type=_PATH, metavar="PUB", help="Public key of the bundle's signature.")
@click.option(
    "--base", type=_PATH, multiple=True, metavar="DIR", help="Base bundle of a differential bundle."
)
@click.option("--partial", is_flag=True, help="Push the content of the given volumes only.")
@click.option(
    "--staging",
    type=_PATH,
    metavar="DIR",
    help="With --partial: folder for the parts of files that are larger than a volume.",
)
@click.option("--dry-run", is_flag=True, help="List what would be sent, without sending it.")
@click.option("--receipt", type=_PATH, metavar="FILE", help="Receipt to write.")
@click.option(
    "--receipt-key", type=_PATH, metavar="KEY", help="Private key to sign the receipt with."
)
@click.option(
    "--skip-verify",
    is_flag=True,
    help="Skip hashing before the push; the registry hashes what it receives.",
)
@options.as_json
def command(
    folders: tuple[Path, ...],
    registry: str,
    settings: Settings,
    key: Path | None,
    base: tuple[Path, ...],
    partial: bool,
    staging: Path | None,
    dry_run: bool,
    receipt: Path | None,
    receipt_key: Path | None,
    skip_verify: bool,
    as_json: bool,
) -> None:
    """Push the bundle in DIR (or in its volumes, in any order) to a registry.

    Existing blobs are not sent, shared layers are sent once, tags are set last. The receipt lists
    what has arrived: carried back, it is the base of the next differential bundle.
    """
    from offline_bundle.push import push
    from offline_bundle.verify import verify

    sink = render.sink_for(as_json)
    if not skip_verify:
        report = verify(folders, key=key, base=base, partial=partial, sink=sink)
        report.require_clean()
    done = push(
        folders,
        registry,
        settings=settings,
        base=base,
        partial=partial,
        staging=staging,
        dry_run=dry_run,
        key=receipt_key,
        receipt=receipt,
        sink=sink,
    )
    _show(done, dry_run, as_json)


def _show(done: Pushed, dry_run: bool, as_json: bool) -> None:
    if as_json:
        output.document(
            {
                "dryRun": dry_run,
                "uploadedBytes": done.uploaded,
                "actions": done.actions,
                "incomplete": done.incomplete,
                "notes": done.notes,
                "receipt": done.receipt,
            }
        )
        return
    if dry_run and done.actions:
        rows = [(a.kind, a.repository, a.digest[:19], a.size, a.detail) for a in done.actions]
        output.table(("action", "repository", "digest", "bytes", "detail"), rows[:_SHOWN])
        if len(rows) > _SHOWN:
            output.text(f"and {len(rows) - _SHOWN} more: --json lists them all")
    counts = ", ".join(f"{number} {kind}s" for kind, number in _counts(done).items())
    verb = "would do" if dry_run else "did"
    output.text(
        f"{verb}: {counts or 'nothing, everything is already there'}; {done.uploaded} bytes sent"
    )
    for note in done.notes:
        output.text(f"note: {note}")
    for name, lacking in sorted(done.incomplete.items()):
        output.text(f"incomplete: {name} lacks {', '.join(lacking)}")


def _counts(done: Pushed) -> dict[str, int]:
    found: dict[str, int] = {}
    for action in done.actions:
        found[action.kind] = found.get(action.kind, 0) + 1
    return found
