"""`mlops-infra restore`: puts a backup back into the platform's stores."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@options.stack
@options.file
@options.as_json
@click.option(
    "--replace",
    is_flag=True,
    help="Confirm that the backup replaces the current content of the stores.",
)
def command(folder: Path, stack: str, file: Path | None, as_json: bool, replace: bool) -> None:
    """Restore a backup into the platform's stores.

    FOLDER is checked completely before anything is changed. Components that use the stores are
    stopped meanwhile. To finish an interrupted restore, repeat the command.
    """
    from mlops_infra.backup.clients import Clients
    from mlops_infra.backup.restoring import restore
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.kube import open_client

    sink = sink_for(as_json)
    opened = OpenStack(stack, file, sink)
    access, wanted = opened.stores(), opened.config.stores
    stores = {wanted.sql.engine, wanted.object.engine, wanted.kv.engine}
    names = [each.name for each in opened.plan.components if stores & set(each.needs)]
    api = open_client(opened.engine.record.kubeconfig, opened.engine.record.context)
    manifest = restore(access, folder, Clients(api, stack, names), sink, replace=replace)
    if as_json:
        output.document(
            {
                "stack": stack,
                "from": manifest.stack,
                "taken": manifest.taken,
                "databases": sorted(manifest.databases),
                "buckets": manifest.buckets,
                "keys": manifest.keys,
            }
        )
        return
    counts = f"{len(manifest.databases)} databases, {len(manifest.buckets)} buckets"
    output.text(f"restored: {counts}, {manifest.keys} keys, as of {manifest.taken}")
