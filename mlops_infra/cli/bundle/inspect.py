"""`mlops-infra bundle inspect`: what is in a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options

if TYPE_CHECKING:
    from offline_bundle.inspect.contents import Inspection


@click.command()
@bundle_options.folders
@click.option(
    "--html",
    "page",
    type=bundle_options.FILE,
    metavar="FILE",
    help="Also write a self-contained HTML page.",
)
@options.as_json
def inspect(folders: tuple[Path, ...], page: Path | None, as_json: bool) -> None:
    """Show contents, sizes, licences, signatures and what requires each item.

    DIR is a bundle, or some of its volumes. Nothing is hashed; `bundle verify` does that.
    """
    from offline_bundle.inspect.contents import html
    from offline_bundle.inspect.contents import inspect as run

    found = run(folders)
    if page is not None:
        page.write_text(html(found), encoding="utf-8")
    if as_json:
        output.document(found.as_dict())
    else:
        _show(found)
        if page is not None:
            output.text(f"page: {page}")


def _show(found: Inspection) -> None:
    output.table(
        ("image", "digest", "MB", "licence", "signatures"),
        [
            (i.reference, i.digest[7:19], f"{i.size / 1e6:.1f}", i.licence, i.signatures)
            for i in found.images
        ],
    )
    output.text()
    output.table(
        ("kind", "name", "version", "MB", "licence"),
        [
            (f.kind, f.name, f.version or None, f"{f.size / 1e6:.1f}", f.licence)
            for f in found.files
        ],
    )
    output.text()
    signed = "signed" if found.signed else "not signed"
    output.text(f"{found.size:,} bytes, {signed}, identity {found.identity}")
    output.text(f"for {found.platform}, Python {found.python}, stack {found.stack or '-'}")
    if found.base:
        output.text(f"a difference; its base is {found.base}")
    if found.missing:
        output.text(f"{found.missing:,} bytes are not in the folders given")
