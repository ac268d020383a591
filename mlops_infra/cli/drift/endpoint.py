"""`mlops-infra drift endpoint`: what a SageMaker endpoint is asked, against its baseline."""

from __future__ import annotations

import datetime

import click

from mlops_infra.cli import options, output, render


@click.command("endpoint")
@click.option("--monitor", required=True, metavar="NAME", help="Name of the monitor.")
@click.option("--endpoint", "watched", required=True, metavar="NAME", help="Name of the endpoint.")
@click.option(
    "--variant",
    "variants",
    required=True,
    multiple=True,
    metavar="NAME",
    help="Variants of the endpoint.",
)
@click.option("--captures", required=True, metavar="URL", help="s3:// folder of recorded requests.")
@click.option("--baseline", required=True, metavar="URL", help="s3:// folder of the baseline.")
@click.option("--report", required=True, metavar="URL", help="s3:// folder of the reports.")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Limit to these columns.")
@click.option(
    "--threshold",
    type=float,
    default=0.1,
    show_default=True,
    help="Score of a column that counts as drift.",
)
@click.option(
    "--hours",
    type=click.IntRange(1, 168),
    default=24,
    show_default=True,
    help="Length of the compared period.",
)
@click.option(
    "--min-rows",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Minimum number of requests.",
)
@click.option("--region", required=True, metavar="NAME", help="AWS region.")
@click.option("--endpoint-url", metavar="URL", help="URL of an emulator, instead of AWS.")
@options.as_json
def endpoint(
    monitor: str,
    watched: str,
    variants: tuple[str, ...],
    captures: str,
    baseline: str,
    report: str,
    columns: tuple[str, ...],
    threshold: float,
    hours: int,
    min_rows: int,
    region: str,
    endpoint_url: str | None,
    as_json: bool,
) -> None:
    """Compare recorded requests of a SageMaker endpoint with its baseline; monitors call this.

    Drift is a result, not a failure: it goes to the report and to CloudWatch metrics, where the
    alarm reads it.
    """
    from mlops_infra.aws import Cloud, Site
    from mlops_infra.lifecycle.drift import endpoint as endpoints

    watch = endpoints.Watch(
        monitor=monitor,
        endpoint=watched,
        captures=captures,
        baseline=baseline,
        report=report,
        variants=variants,
        columns=columns,
        threshold=threshold,
        window=datetime.timedelta(hours=hours),
        min_rows=min_rows,
    )
    cloud = Cloud(Site(region, endpoint_url=endpoint_url))
    seen = endpoints.look(watch, cloud, render.sink_for(as_json))
    if as_json:
        output.document(seen.as_dict())
        return
    output.table(
        ("column", "distance", "drifted"),
        [(each.name, f"{each.score:.3f}", "yes" if each.drifted else "no")
         for each in seen.columns],
    )  # fmt: skip
    for broken in seen.broken:
        output.text(broken)
