"""`mlops-infra bundle receipt`: says what a receipt proves, and whose signature it has."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output

_PATH = click.Path(path_type=Path)


@click.command(name="receipt")
@click.argument("file", metavar="RECEIPT", type=_PATH)
@click.option("--key", type=_PATH, metavar="PUB", help="Public key of the receipt's signature.")
@options.as_json
def command(file: Path, key: Path | None, as_json: bool) -> None:
    """Show the receipt of a push; exit code 3 if the signature is not KEY's.

    `bundle build --since RECEIPT` leaves out what it lists.
    """
    from offline_bundle.push import receipt as receipts

    found = receipts.read(file, key=key)
    if as_json:
        output.document({"signature": "good" if key else "not checked", "receipt": found})
        return
    output.text(f"registry   {found.registry}")
    output.text(f"bundle     {found.bundle}")
    output.text(f"signature  {'good' if key else 'not checked (--key PUB)'}")
    output.text(f"files      {len(found.held)}")
    rows = [(each.name, each.repository, each.target, each.digest[:19]) for each in found.images]
    output.table(("image", "repository", "target", "digest"), rows)
