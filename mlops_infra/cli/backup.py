"""`mlops-infra backup`: copies the platform's own stores into one folder."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for


@click.command()
@options.stack
@options.file
@options.as_json
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    required=True,
    help="Output folder: new, or left by an interrupted backup.",
)
def command(stack: str, file: Path | None, as_json: bool, target: Path) -> None:
    """Copy databases, buckets and keys into a folder.

    The platform keeps working. Stores with `state: external` are listed and left out: back them up
    where they run. The folder is not encrypted; its mode is 0700.
    """
    from mlops_infra.backup import take
    from mlops_infra.cli.open_stack import OpenStack

    sink = sink_for(as_json)
    access = OpenStack(stack, file, sink).stores()
    manifest = take(access, target, sink)
    if as_json:
        output.document(
            {
                "stack": stack,
                "folder": str(target),
                "taken": manifest.taken,
                "databases": sorted(manifest.databases),
                "buckets": manifest.buckets,
                "keys": manifest.keys,
                "skipped": list(access.skipped),
            }
        )
        return
    rows: list[tuple[str, str, object]] = [("database", name, None) for name in manifest.databases]
    rows += [("bucket", name, f"{number} objects") for name, number in manifest.buckets.items()]
    rows += [("keys", "key-value store", manifest.keys)] if access.kv_service else []
    output.table(("kind", "name", "holds"), rows)
    for each in access.skipped:
        output.text(f"not in the backup: {each}")
    output.text(f"backup: {target}")
