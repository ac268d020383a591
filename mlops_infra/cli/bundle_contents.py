"""`mlops-infra bundle licences` and `bundle sbom`: the two documents that every bundle carries."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mlops_infra.cli import bundle_options, options, output
from mlops_infra.errors import FoundError

_MILDEST = ("permissive", "commercial", "any")


@click.command()
@bundle_options.folders
@click.option(
    "--policy",
    type=click.Choice(_MILDEST),
    help="Exit with 3 if something is not taken by this policy of the gate, or states none.",
)
@options.as_json
def licences(folders: tuple[Path, ...], policy: str | None, as_json: bool) -> None:
    """List the licence of everything in a bundle.

    Beside each: the mildest policy of the licence gate that takes it; `unread` where it states
    none that could be read.
    """
    from offline_bundle.inspect import licence_rows

    rows = licence_rows(folders)
    if as_json:
        output.document(rows)
    else:
        output.table(
            ("kind", "name", "version", "licence", "policy"),
            [(r["kind"], r["name"], _short(r["version"]), r["licence"], r["policy"]) for r in rows],
        )
    taken = _MILDEST[: _MILDEST.index(policy) + 1] if policy else ()
    refused = [
        f"{r['name']}: {r['licence'] or 'none stated'}"
        for r in rows
        if policy and r["policy"] not in taken
    ]
    if refused:
        raise FoundError(
            f"policy '{policy}' does not take {len(refused)} of {len(rows)}",
            refused,
            hint="read the terms of each; what is not needed can be left out of the stack",
        )


@click.command()
@bundle_options.folders
@click.option(
    "--image",
    metavar="REF",
    help="The document that this image carries itself, in place of the bundle's.",
)
@options.as_json
def sbom(folders: tuple[Path, ...], image: str | None, as_json: bool) -> None:  # noqa: ARG001
    """Print the bill of materials: of the bundle (CycloneDX), or of one image.

    It is JSON with or without --json.
    """
    from offline_bundle.inspect import bill

    output.document(json.loads(bill(folders, image)))


def _short(version: object) -> str | None:
    return str(version).removeprefix("sha256:")[:19] or None
