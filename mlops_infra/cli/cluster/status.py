"""`mlops-infra cluster status`."""

from __future__ import annotations

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.cluster.showing import DEFAULT, text
from mlops_infra.errors import FoundError


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
@options.as_json
def status(name: str | None, as_json: bool) -> None:
    """Show one cluster, or all; exit code 3 if one is degraded."""
    from mlops_infra.cluster import EmbeddedCluster, existing

    names = (name,) if name else existing()
    found = [EmbeddedCluster(one).status() for one in names]
    if as_json:
        output.document(found[0].as_dict() if name else [one.as_dict() for one in found])
    elif not found:
        output.text(f"no cluster yet; mlops-infra cluster start {DEFAULT}")
    else:
        for one in found:
            text(one)
    if bad := [one.name for one in found if one.phase == "degraded"]:
        raise FoundError(
            f"degraded: {', '.join(bad)}",
            hint="the logs are in the cluster's folder, below `logs`",
        )
