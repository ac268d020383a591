"""`mlops-infra pipeline run`: here, or in a tenant's namespace."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mlops_infra.cli import options, output, render
from mlops_infra.cli.pipeline.source import parameters_option, pipeline_of, values_of
from mlops_infra.cli.pipeline.tenancy import stack_option, tenancy_of, tenant_option

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Value
    from mlops_infra.lifecycle.pipeline.submission.following import RunEnd
    from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
    from mlops_infra.progress import Sink


@click.command()
@click.argument("pipeline", metavar="NAME[@VERSION]|FILE")
@click.option(
    "--engine",
    type=click.Choice(["local", "argo", "kfp"]),
    default="local",
    show_default=True,
    help="Engine to run on.",
)
@stack_option
@tenant_option
@parameters_option
@click.option("--run", "run_name", metavar="ID", help="Name of the run (default: a new one).")
@click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Wait for the end of the run."
)
@click.option("--timeout", type=float, default=3600, show_default=True, help="Time limit, seconds.")
@click.option("--processes", is_flag=True, help="local: run every step in its own process.")
@click.option(
    "--code-in",
    type=click.Choice(["configmap", "bucket"]),
    default="configmap",
    show_default=True,
    help="argo: how the code of a file reaches its Pods.",
)
@click.option(
    "--image", metavar="REF", help="argo, kfp: image of the steps (default: the stack's)."
)
@options.file
@options.as_json
@click.pass_context
def run(
    context: click.Context,
    pipeline: str,
    engine: str,
    stack: str | None,
    tenant: str | None,
    parameters: tuple[str, ...],
    run_name: str | None,
    wait: bool,
    timeout: float,
    processes: bool,
    code_in: str,
    image: str | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Run a pipeline and show its metrics.

    A pipeline is a built-in one, one that the tenant has published (the latest version, or the one
    named), or a file. With -s and --tenant, the tenant's MLflow, bucket and lineage are used, by
    local runs too. Neither is needed inside a Pod of the tenant, such as a notebook.
    """
    from mlops_infra.lifecycle.pipeline.submission.runs import new_run

    _require_used(context, engine)
    sink = render.sink_for(as_json)
    opened = cache(lambda: tenancy_of(stack, tenant, file, sink, image))
    of = pipeline_of(pipeline, opened)
    values = values_of(of, parameters)
    tenancy = opened()
    name = run_name or new_run(of.name)
    limit = timeout if wait else None
    if engine == "local":
        told = _local(of, values, tenancy, name, processes, sink)
    elif engine == "argo":
        told = _argo(of, values, tenancy, name, code_in, limit, sink)
    else:
        told = _kfp(of, values, tenancy, name, limit, sink)
    _tell(told, as_json)


_ENGINES_OF = {"processes": ("local",), "code_in": ("argo",), "image": ("argo", "kfp")}
"""Options that only some engines read."""


def _require_used(context: click.Context, engine: str) -> None:
    """Refuse an option that the engine would not read.

    Raises:
        click.UsageError: with the engines that do.
    """
    for name, engines in _ENGINES_OF.items():
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and engine not in engines:
            option = name.replace("_", "-")
            raise click.UsageError(
                f"--{option} is for engine {' or '.join(engines)}, not {engine}", ctx=context
            )


def _local(
    of: Pipeline,
    values: dict[str, Value],
    tenancy: Tenancy,
    run: str,
    processes: bool,
    sink: Sink,
) -> dict[str, object]:
    from mlops_infra import places
    from mlops_infra.lifecycle.pipeline.engines import local
    from mlops_infra.lifecycle.pipeline.submission.tenancy import with_tracking

    folder = places.private(places.data() / "runs") / run
    cache = places.cache() / "pipeline"
    around = with_tracking(tenancy.around, places.data() / "runs" / "mlflow")
    if processes:
        done = local.run_as_processes(
            of,
            values,
            run=run,
            folder=folder,
            environment=around.environment(),
            sink=sink,
            cache=cache,
        )
    else:
        done = local.run_in_process(
            of, values, run=run, folder=folder, around=around, sink=sink, cache=cache
        )
    return {
        "run": run,
        "engine": "local",
        "phase": "Succeeded",
        "metrics": done.metrics,
        "folder": str(folder),
        "tracking": around.tracking_uri,
    }


def _argo(
    of: Pipeline,
    values: dict[str, Value],
    tenancy: Tenancy,
    run: str,
    code_in: str,
    timeout: float | None,
    sink: Sink,
) -> dict[str, object]:
    from mlops_infra.lifecycle.pipeline.submission.argo_run import failure, wait
    from mlops_infra.lifecycle.pipeline.submission.submit import metrics_of, submit

    submitted = submit(of, values, tenancy, run=run, code_in_bucket=code_in == "bucket")
    told: dict[str, object] = {"run": run, "engine": "argo", "namespace": submitted.namespace}
    if timeout is None:
        return {**told, "phase": "Submitted"}
    end = wait(tenancy.workflows(), submitted.namespace, run, sink, timeout=timeout)
    if not end.good:
        raise failure(tenancy.workflows(), end)
    told |= {"phase": end.phase, "steps": _steps(end)}
    return {**told, "metrics": metrics_of(of, tenancy, run)}


def _kfp(
    of: Pipeline,
    values: dict[str, Value],
    tenancy: Tenancy,
    name: str,
    timeout: float | None,
    sink: Sink,
) -> dict[str, object]:
    from mlops_infra.lifecycle.pipeline.submission import kfp_run
    from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of
    from mlops_infra.lifecycle.pipeline.submission.kubernetes_runs import KubernetesRuns
    from mlops_infra.lifecycle.pipeline.submission.submit import metrics_of

    api = api_of(tenancy)
    run = kfp_run.submit(of, values, tenancy, api, name=name)
    told: dict[str, object] = {
        "run": run,
        "name": name,
        "engine": "kfp",
        "namespace": api.namespace,
    }
    if timeout is None:
        return {**told, "phase": "Submitted"}
    end = kfp_run.wait(api, run, [step.name for step in of.steps], sink, timeout=timeout)
    if not end.good:
        raise kfp_run.failure(KubernetesRuns(tenancy.kubeconfig, tenancy.context), end)
    told |= {"phase": end.phase, "steps": _steps(end)}
    linked = kfp_run.tracking_run(api.run(run))
    told |= {"tracking_run": linked} if linked else {}
    return {**told, "metrics": metrics_of(of, tenancy, run)}


def _steps(end: RunEnd) -> list[dict[str, object]]:
    return [{"step": s.name, "phase": s.phase, "seconds": s.seconds} for s in end.steps]


def _tell(told: dict[str, object], as_json: bool) -> None:
    if as_json:
        output.document(told)
        return
    output.text(f"{told['run']}: {told['phase']}")
    metrics = told.get("metrics")
    if isinstance(metrics, dict) and metrics:
        output.table(("metric", "value"), sorted(metrics.items()))
