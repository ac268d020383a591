"""`mlops-infra bundle diff`: what is different between two bundles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options

if TYPE_CHECKING:
    from offline_bundle.differential.comparing import Changed, Difference


@click.command()
@click.argument("before", metavar="A", type=bundle_options.BUNDLE)
@click.argument("after", metavar="B", type=bundle_options.BUNDLE)
@options.as_json
def diff(before: Path, after: Path, as_json: bool) -> None:
    """Show what has to be carried to turn bundle A into bundle B.

    Only the lists are read, not the blobs; of a split bundle one volume is enough. A tag that moved
    is shown with both digests.
    """
    from offline_bundle.differential.comparing import diff as run

    found = run([before], [after])
    if as_json:
        output.document({"bytes": found.size, **_as_dict(found)})
        return
    rows = [
        *_rows("image", found.images_added, found.images_removed, found.images_changed),
        *_rows(
            "file",
            tuple(entry.path for entry in found.files_added),
            tuple(entry.path for entry in found.files_removed),
            found.files_changed,
        ),
    ]
    if rows:
        output.table(("what", "change", "name", "before", "after"), rows)
    output.text(
        f"to carry: {len(found.new)} files, {found.size:,} bytes"
        if not found.is_empty
        else "both are the same"
    )


def _rows(
    what: str, added: tuple[str, ...], removed: tuple[str, ...], changed: tuple[Changed, ...]
) -> list[tuple[object, ...]]:
    return [
        *((what, "new", name, None, None) for name in added),
        *((what, "gone", name, None, None) for name in removed),
        *((what, "changed", c.name, _short(c.before), _short(c.after)) for c in changed),
    ]


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _as_dict(found: Difference) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(found)
