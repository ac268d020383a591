"""`mlops-infra pipeline stop`: ends a run of Kubeflow Pipelines."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output, render
from mlops_infra.cli.pipeline.tenancy import stack_option, tenancy_of, tenant_option


@click.command()
@click.argument("run", metavar="ID")
@stack_option
@tenant_option
@options.file
@options.as_json
def stop(run: str, stack: str | None, tenant: str | None, file: Path | None, as_json: bool) -> None:
    """Stop a run of Kubeflow Pipelines.

    ID is what `pipeline run --engine kfp` has shown. Steps that run are stopped; what others have
    written stays.
    """
    from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of

    tenancy = tenancy_of(stack, tenant, file, render.sink_for(as_json))
    api_of(tenancy).stop(run)
    if as_json:
        output.document({"run": run, "stopping": True})
    else:
        output.text(f"{run}: stopping")
