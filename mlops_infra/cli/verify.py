"""`mlops-infra verify`: goes once around the MLOps loop of a running platform."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output, render
from mlops_infra.errors import FoundError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.verify.platform import Report


@click.command()
@options.stack
@options.file
@options.as_json
@click.option("--clean", is_flag=True, help="Remove everything that this verification created.")
@click.option(
    "--model",
    metavar="TENANT/MODEL",
    help="Also test the life cycle of this declared model; replaces the model that serves there.",
)
@click.option("--core", is_flag=True, help="Only test stores, tracking and registry.")
@click.option(
    "--sample",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Profile aws: request (text/csv) to send to the first endpoint.",
)
def command(
    stack: str,
    file: Path | None,
    as_json: bool,
    clean: bool,
    model: str | None,
    core: bool,
    sample: Path | None,
) -> None:
    """Test the running platform with a model.

    On an embedded cluster with the required components, the first declared model also goes through
    its whole life cycle: pipeline, promotion, prediction, canary, drift, retraining, batch scoring,
    lineage and replay. On your own cluster this needs --model.

    Works from outside the cluster, through the endpoints of `mlops-infra outputs`. Passwords are
    read from the cluster's Secrets and never shown. Exit code 3 if a step fails.

    With profile aws: trains by the first pipeline, finds the registered model, its lineage and the
    endpoint. An emulator's gaps are skipped by name.
    """
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.cli.profile import Verification
    from mlops_infra.cli.profiles import commands_of

    opened = OpenStack(stack, file, render.sink_for(as_json))
    report = commands_of(opened).verify(Verification(clean, core, model, sample))
    _tell(stack, report, as_json=as_json)


def _tell(stack: str, report: Report, *, as_json: bool) -> None:
    if as_json:
        output.document(_as_dict(stack, report))
    else:
        _show(stack, report)
    if report.failures:
        raise _found(stack, report)


def _show(stack: str, report: Report) -> None:
    output.table(
        ("step", "outcome", "time", "what"),
        [(s.title, s.outcome, f"{s.seconds:.1f} s", s.detail) for s in report.steps],
    )
    output.text()
    if not report.failures:
        output.text(f"{stack}: the platform works, {report.seconds:.1f} s")


def _as_dict(stack: str, report: Report) -> dict[str, object]:
    return {
        "stack": stack,
        "ok": not report.failures,
        "seconds": round(report.seconds, 3),
        "pipelineRun": report.pipeline_run,
        "trackingRun": report.tracking_run,
        "model": report.model,
        "cleaned": report.cleaned,
        "steps": [
            {
                "step": s.title,
                "outcome": s.outcome,
                "seconds": round(s.seconds, 3),
                "detail": s.detail,
            }
            for s in report.steps
        ],
    }


def _found(stack: str, report: Report) -> FoundError:
    first = report.failures[0].error
    return FoundError(
        f"{stack}: {len(report.failures)} of {len(report.steps)} steps failed",
        [f"{failure.title}: {failure.detail}" for failure in report.failures],
        where=first.where if first else None,
        hint=(first.hint if first else None) or f"mlops-infra status -s {stack}",
    )
