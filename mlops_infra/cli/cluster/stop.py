"""`mlops-infra cluster stop`."""

from __future__ import annotations

import click

from mlops_infra.cli import options
from mlops_infra.cli.cluster.showing import cluster_name, show
from mlops_infra.cli.render import sink_for


@click.command()
@cluster_name
@options.as_json
def stop(name: str, as_json: bool) -> None:
    """Stop a cluster; its data stays."""
    from mlops_infra.cluster import EmbeddedCluster

    cluster = EmbeddedCluster(name)
    cluster.stop(sink_for(as_json))
    show(cluster.status(), as_json)
