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
    """Create the key pair NAME.key (to sign with) and NAME.pub (to verify with).

    ECDSA P-256 in PEM, as openssl and cosign read it. The passphrase comes from the file in
    MLOPS_INFRA_BUNDLE_PASSPHRASE_FILE or from MLOPS_INFRA_BUNDLE_PASSPHRASE. Nothing is
    overwritten. Carry NAME.pub to the closed network separately from the bundle.
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
