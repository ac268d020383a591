"""`mlops-infra bundle licences`: under what everything in a bundle may be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options
from mlops_infra.errors import FoundError


@click.command()
@bundle_options.folders
@click.option(
    "--policy",
    type=click.Choice(("permissive", "commercial", "any")),
    help="Exit with 3 if this policy does not allow a licence, or a licence could not be read.",
)
@bundle_options.stack
@options.as_json
def licences(
    folders: tuple[Path, ...],
    policy: str | None,
    stack: str | None,
    stack_file: Path | None,
    as_json: bool,
) -> None:
    """List the licence of everything in a bundle.

    Shows for each item the strictest policy of the licence gate that allows it, or `unread` if no
    licence could be read. With -s, the policy and the exceptions of that stack apply.
    """
    from offline_bundle.inspect.contents import licence_rows

    rows = licence_rows(folders)
    if as_json:
        output.document(rows)
    else:
        output.table(
            ("kind", "name", "version", "licence", "policy"),
            [(r["kind"], r["name"], _short(r["version"]), r["licence"], r["policy"]) for r in rows],
        )
    if policy or stack:
        _require_taken(rows, policy, stack, stack_file)


def _require_taken(
    rows: list[dict[str, Any]], policy: str | None, stack: str | None, stack_file: Path | None
) -> None:
    from mlops_infra.config import LicenceConfig, load
    from mlops_infra.config import stack_file as file_of
    from offline_bundle.gate import refused

    gate = load(stack_file or file_of(stack)).licence if stack else LicenceConfig()
    gate = gate.model_copy(update={"policy": policy}) if policy else gate
    if found := refused(rows, gate):
        raise FoundError(
            f"policy '{gate.policy}' does not allow {len(found)} of {len(rows)}",
            found,
            hint="read the terms of each; list the accepted ones in licence.accept",
        )


def _short(version: object) -> str | None:
    return str(version).removeprefix("sha256:")[:19] or None
