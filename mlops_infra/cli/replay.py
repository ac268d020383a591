"""`mlops-infra replay`: which model, data and pipeline made a prediction, and does it repeat."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output, render
from mlops_infra.errors import FoundError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.verify.replay import Replay


@click.command()
@click.argument("prediction", metavar="PREDICTION")
@options.stack
@options.file
@click.option("-t", "--tenant", required=True, metavar="NAME", help="Tenant of the prediction.")
@options.as_json
def command(prediction: str, stack: str, file: Path | None, tenant: str, as_json: bool) -> None:
    """Trace a logged prediction to its model and compute it again.

    PREDICTION is the header x-prediction-id of the response. The model version that answered is
    loaded in a Pod of the tenant. Exit code 3 if the result differs.
    """
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.errors import InputError
    from mlops_infra.lifecycle.lineage.index import Lineage
    from mlops_infra.lifecycle.verify.cron_jobs import JobRuns
    from mlops_infra.lifecycle.verify.replay import InTenantPod, replay

    opened = OpenStack(stack, file, render.sink_for(as_json))
    access = opened.access(tenant)
    if access.gateway is None:
        raise InputError(
            f"stack '{stack}' has no model gateway, so no predictions are logged",
            hint="set components.lifecycle.state to managed",
        )
    pod = InTenantPod(JobRuns(*opened.kubeconfig))
    found = replay(prediction, access.gateway, pod, Lineage(access.store))
    if as_json:
        output.document({**asdict(found), "equal": found.equal})
    else:
        _show(found)
    if not found.equal:
        raise FoundError(
            f"{found.model} gives another result",
            hint="compare the versions of packages in the runtime image and on the model's server",
        )


def _show(found: Replay) -> None:
    trace = found.trace
    rows = [
        ("prediction", found.prediction),
        ("time", found.at),
        ("endpoint", found.endpoint),
        ("model", found.model),
        ("role", found.role),
        ("pipeline run", trace.pipeline_run if trace else None),
        ("mlflow run", trace.tracking_run if trace else None),
        ("data", trace.data if trace else None),
        ("commit", trace.commit if trace else None),
        ("answered", _short(found.given)),
        ("computed now", _short(found.computed)),
        ("difference", None if found.difference is None else f"{found.difference:g}"),
        ("equal", "yes" if found.equal else "no"),
    ]
    output.table(("what", "value"), rows)


def _short(values: tuple[object, ...]) -> str:
    shown = ", ".join(str(value) for value in values[:6])
    return shown if len(values) <= 6 else f"{shown}, … ({len(values)} values)"
