"""`mlops-infra cluster delete`."""

from __future__ import annotations

import click

from mlops_infra.cli import options
from mlops_infra.cli.cluster.showing import cluster_name, show
from mlops_infra.cli.render import sink_for


@click.command()
@cluster_name
@options.as_json
def delete(name: str, as_json: bool) -> None:
    """Delete a cluster with all its data."""
    from mlops_infra import places
    from mlops_infra.cluster import EmbeddedCluster
    from mlops_infra.teardown import local_files

    cluster = EmbeddedCluster(name)
    cluster.delete(sink_for(as_json))
    local_files.prune(places.data())
    show(cluster.status(), as_json)
