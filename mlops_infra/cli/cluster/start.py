"""`mlops-infra cluster start`."""

from __future__ import annotations

import click

from mlops_infra.cli import options
from mlops_infra.cli.cluster.showing import cluster_name, show
from mlops_infra.cli.render import sink_for


@click.command()
@cluster_name
@click.option(
    "--simulated", is_flag=True, help="Simulate the nodes: Pods become Ready without running."
)
@options.as_json
def start(name: str, simulated: bool, as_json: bool) -> None:
    """Start a cluster with its existing data; NAME defaults to `sandbox`."""
    from mlops_infra.cluster import EmbeddedCluster

    show(EmbeddedCluster(name).start(sink_for(as_json), simulated=simulated), as_json)
