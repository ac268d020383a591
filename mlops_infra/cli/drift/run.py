"""`mlops-infra drift run`: looks for drift in what models are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlops_infra.cli import options, output, render
from mlops_infra.errors import FoundError, InputError, MlopsError


@click.command()
@click.option(
    "--models", type=click.Path(path_type=Path), metavar="FILE", help="File of declared models."
)
@click.option("-t", "--tenant", metavar="NAME", help="Limit to the models of this tenant.")
@click.option("--model", metavar="NAME", help="Limit to this model.")
@options.as_json
def run(models: Path | None, tenant: str | None, model: str | None, as_json: bool) -> None:
    """Compare logged requests with the champion's training data; runs in the cluster.

    Drift is a result, not a failure: it goes to the report, the metrics and the database, where
    triggers read it. Exit code 3 if a model could not be examined.
    """
    from mlops_infra.lifecycle import drift
    from mlops_infra.lifecycle.pods import assembly, jobs
    from mlops_infra.lifecycle.services.environment import Environment

    text, where = assembly.models(models)
    chosen = [
        job
        for job in jobs.drift_jobs(text, where)
        if tenant in (None, job.tenant) and model in (None, job.model)
    ]
    if not chosen and (tenant or model):
        raise InputError(
            f"no drift job is declared for {tenant or '*'}/{model or '*'}", where=where
        )
    around, sink = Environment.here(), render.sink_for(as_json)
    registry = assembly.champions(around)
    results: list[dict[str, Any]] = []
    failed: list[str] = []
    for job in chosen:
        try:
            result = drift.run(
                job,
                connect=assembly.connect,
                versions=registry,
                objects=assembly.bucket(around, job.bucket),
                sink=sink,
            )
        except MlopsError as error:
            # one model without a champion must not keep the others from being looked at
            failed.append(f"{job.tenant}/{job.model}: {error.what}")
            continue
        except Exception as error:  # noqa: BLE001 - nor must one whose data nobody expected
            failed.append(f"{job.tenant}/{job.model}: {error!r}")
            continue
        results.append(result.as_dict())
    _show(results, as_json=as_json)
    if failed:
        raise FoundError(f"{len(failed)} of {len(chosen)} models could not be examined", failed)


def _show(results: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.document({"results": results})
        return
    output.table(
        ("model", "version", "rows", "drifted columns", "verdict"),
        [
            (
                f"{each['tenant']}/{each['model']}",
                each["version"],
                each["rows"],
                ", ".join(column["name"] for column in each["columns"] if column["drifted"])
                or None,
                _verdict(each),
            )
            for each in results
        ],
    )


def _verdict(result: dict[str, Any]) -> str:
    if not result["judged"]:
        return "too few requests"
    return "drift" if result["drifted"] else "no drift"
