"""`mlops-infra lifecycle recompute`: what `mlops-infra replay` runs in a Pod of the tenant."""

from __future__ import annotations

import json

import click

from mlops_infra.cli import output


@click.command()
@click.argument("prediction", metavar="PREDICTION")
def recompute(prediction: str) -> None:
    """Compute a logged prediction of this Pod's tenant again."""
    from mlops_infra.lifecycle.pods import assembly
    from mlops_infra.lifecycle.pods.recomputing import recompute as compute
    from mlops_infra.lifecycle.services.environment import Environment

    found = compute(prediction, assembly.gateway(), assembly.champions(Environment.here()))
    # few lines: whoever reads the log of the Pod reads only its end
    output.text(f'{{\n"computed": {json.dumps(found)}\n}}')
