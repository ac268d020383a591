"""`mlops-infra step`: one step of a pipeline, as the engines call it in their Pods."""

from __future__ import annotations

import os

import click

from mlops_infra.cli import options, output, render
from mlops_infra.errors import InputError
from mlops_infra.progress import Sink

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read when the libraries load; the number of processors must not show in a metric."""


@click.command()
@click.argument("entry")
@click.option("--pipeline", required=True, metavar="NAME", help="Pipeline of the step.")
@click.option(
    "--step", "name", required=True, metavar="NAME", help="Name of the step in the pipeline."
)
@click.option("--run", required=True, metavar="ID", help="Run of the step.")
@click.option(
    "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Pipeline parameter; repeatable."
)
@click.option("--in", "inputs", multiple=True, metavar="NAME=PLACE", help="File or s3:// URL.")
@click.option("--out", "outputs", multiple=True, metavar="NAME=PLACE", help="File or s3:// URL.")
@click.option("--code", metavar="PLACE", help="Module of a user's pipeline.")
@click.option("--code-sha256", metavar="HEX", help="SHA-256 of the module.")
@click.option("--commit", metavar="ID", help="Git commit of the code, recorded with the run.")
@click.option("--status", metavar="STATUS", help="Status of the run, for the step finish.")
@click.option("--kfp-executor-input", metavar="JSON", hidden=True)
@click.option("--cache", metavar="PLACE", help="Cache of outputs of equal steps.")
@options.as_json
def command(
    entry: str,
    pipeline: str,
    name: str,
    run: str,
    parameters: tuple[str, ...],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    code: str | None,
    code_sha256: str | None,
    commit: str | None,
    status: str | None,
    kfp_executor_input: str | None,
    cache: str | None,
    as_json: bool,
) -> None:
    """Run one step of a pipeline; engines call this.

    Reads the platform's endpoints from environment variables. After exit code 1 (a service did not
    respond) a retry can help; after 2 and 3 the input or the data is wrong.
    """
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    from mlops_infra.lifecycle.pipeline.steps.command_line import job_of
    from mlops_infra.lifecycle.pipeline.steps.execution import execute
    from mlops_infra.lifecycle.services.environment import Environment

    sink = render.sink_for(as_json)
    if entry == "finish":
        _finish(pipeline, run, status, inputs, outputs, sink)
        return
    job = job_of(
        entry,
        pipeline=pipeline,
        step=name,
        run=run,
        parameters=parameters,
        inputs=inputs,
        outputs=outputs,
        code=code,
        code_sha256=code_sha256,
        commit=commit,
        around=Environment.here(),
    )
    ended = execute(job, sink, cache=cache)
    if kfp_executor_input is not None:
        from mlops_infra.lifecycle.pipeline.steps.kfp_report import report

        report(job, ended, kfp_executor_input)
    if as_json:
        output.document({"step": name, "outputs": ended.digests, "reused": ended.reused})
    else:
        for wrote, digest in ended.digests.items():
            output.text(f"{wrote} sha256:{digest} {job.outputs[wrote]}")


def _finish(
    pipeline: str,
    run: str,
    status: str | None,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    sink: Sink,
) -> None:
    from mlops_infra.lifecycle.pipeline.steps.command_line import pairs
    from mlops_infra.lifecycle.pipeline.steps.run_end import finish
    from mlops_infra.lifecycle.services.environment import Environment

    places = pairs("--out", outputs)
    if status is None or "status" not in places:
        raise InputError("the step finish needs --status and --out status=PLACE")
    finish(
        pipeline=pipeline,
        run=run,
        status=status,
        registration=pairs("--in", inputs).get("registration"),
        place=places["status"],
        around=Environment.here(),
        sink=sink,
    )
