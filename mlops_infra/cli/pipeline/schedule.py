"""`mlops-infra pipeline schedule`: recurring runs of Kubeflow Pipelines."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra.cli import options, output, render
from mlops_infra.cli.pipeline.source import parameters_option, pipeline_of, values_of
from mlops_infra.cli.pipeline.tenancy import stack_option, tenancy_of, tenant_option

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.submission.kfp_api import Document


@click.group()
def schedule() -> None:
    """Start pipelines by a schedule, on Kubeflow Pipelines.

    Declared models have schedules of their own: `tenants.<name>.models.<model>.retrain`.
    """


@schedule.command()
@click.argument("pipeline", metavar="NAME[@VERSION]|FILE")
@click.option("--cron", required=True, metavar="TEXT", help="Five fields, for example '0 3 * * 1'.")
@click.option("--name", metavar="NAME", help="Name of the schedule (default: the pipeline's).")
@stack_option
@tenant_option
@parameters_option
@options.file
@options.as_json
def add(
    pipeline: str,
    cron: str,
    name: str | None,
    stack: str | None,
    tenant: str | None,
    parameters: tuple[str, ...],
    file: Path | None,
    as_json: bool,
) -> None:
    """Add a schedule.

    One run at a time; times at which the platform was down are left out. The schedule keeps this
    state of the pipeline: a changed one needs a new schedule. Times are in the time zone of
    `components.kubeflow-pipelines.settings.timezone`.
    """
    from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of
    from mlops_infra.lifecycle.pipeline.submission.kfp_schedule import repeat

    opened = cache(lambda: tenancy_of(stack, tenant, file, render.sink_for(as_json)))
    of = pipeline_of(pipeline, opened)
    values = values_of(of, parameters)
    tenancy = opened()
    api = api_of(tenancy)
    made = repeat(of, values, tenancy, api, name=name or of.name, cron=cron)
    _tell([made], as_json)


@schedule.command(name="list")
@stack_option
@tenant_option
@options.file
@options.as_json
def list_(stack: str | None, tenant: str | None, file: Path | None, as_json: bool) -> None:
    """List the schedules of a tenant."""
    from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of

    tenancy = tenancy_of(stack, tenant, file, render.sink_for(as_json))
    _tell(api_of(tenancy).repeated(), as_json)


@schedule.command()
@click.argument("schedule_id", metavar="ID")
@stack_option
@tenant_option
@options.file
@options.as_json
def remove(
    schedule_id: str, stack: str | None, tenant: str | None, file: Path | None, as_json: bool
) -> None:
    """Remove a schedule; its runs stay."""
    from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of

    tenancy = tenancy_of(stack, tenant, file, render.sink_for(as_json))
    api_of(tenancy).end_repeating(schedule_id)
    if as_json:
        output.document({"removed": schedule_id})
    else:
        output.text(f"removed {schedule_id}")


def _tell(schedules: list[Document], as_json: bool) -> None:
    rows = [_row(each) for each in schedules]
    if as_json:
        output.document({"schedules": rows})
    else:
        output.table(("id", "name", "cron", "state"), [tuple(row.values()) for row in rows])


def _row(schedule: Document) -> dict[str, Any]:
    cron = (schedule.get("trigger") or {}).get("cron_schedule") or {}
    return {
        "id": schedule.get("recurring_run_id"),
        "name": schedule.get("display_name"),
        # seconds first, which `add` always sets to 0
        "cron": str(cron.get("cron") or "").partition(" ")[2],
        "state": schedule.get("status"),
    }
