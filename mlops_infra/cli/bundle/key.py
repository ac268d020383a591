"""`mlops-infra bundle key`: a pair of keys to sign bundles and receipts with."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options


@click.command()
@click.argument("name", metavar="NAME", type=bundle_options.FILE)
@options.as_json
def key(name: Path, as_json: bool) -> None:
    """Make NAME.key, to sign with, and NAME.pub, to check with.

    ECDSA on P-256 in PEM: openssl and cosign read both. A passphrase is taken from the file that
    MLOPS_INFRA_BUNDLE_PASSPHRASE_FILE names, or from MLOPS_INFRA_BUNDLE_PASSPHRASE. Nothing is
    overwritten. NAME.pub has to reach the closed side by another way than the bundle.
    """
    from offline_bundle.sealing import keys

    private, public = name.with_name(f"{name.name}.key"), name.with_name(f"{name.name}.pub")
    phrase = keys.passphrase()
    keys.generate(private, public, phrase=phrase)
    if as_json:
        output.document({"private": private, "public": public, "passphrase": bool(phrase)})
        return
    output.text(f"{private}: private, mode 0600, passphrase: {'yes' if phrase else 'no'}")
    output.text(f"{public}: public")
