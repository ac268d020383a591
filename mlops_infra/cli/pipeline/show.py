"""`mlops-infra pipeline show`: the steps and parameters of a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output, render
from mlops_infra.cli.pipeline.source import pipeline_of
from mlops_infra.cli.pipeline.tenancy import stack_option, tenancy_of, tenant_option

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.definition.model import Pipeline


@click.command()
@click.argument("pipeline", metavar="NAME[@VERSION]|FILE")
@stack_option
@tenant_option
@options.file
@options.as_json
def show(
    pipeline: str, stack: str | None, tenant: str | None, file: Path | None, as_json: bool
) -> None:
    """Show the steps and parameters of a pipeline."""
    shown = pipeline_of(pipeline, lambda: tenancy_of(stack, tenant, file, render.sink_for(as_json)))
    if not as_json:
        text(shown)
        return
    steps = [
        {
            "name": step.name,
            "needs": list(step.needs),
            "parameters": list(step.parameters),
            "outputs": dict(step.outputs),
            "cached": step.cached,
        }
        for step in shown.steps
    ]
    parameters = [
        {"name": p.name, "type": p.kind, "default": p.default, "help": p.help}
        for p in shown.parameters
    ]
    output.document({"name": shown.name, "steps": steps, "parameters": parameters})


def text(pipeline: Pipeline) -> None:
    """Write steps and parameters of a pipeline to stdout, for people."""
    output.text(f"{pipeline.name}: {pipeline.description}")
    output.text()
    output.table(
        ("step", "after", "parameters", "makes"),
        [
            (
                step.name,
                ", ".join(step.needs) or None,
                ", ".join(step.parameters) or None,
                ", ".join(f"{name} ({content})" for name, content in step.outputs.items()) or None,
            )
            for step in pipeline.steps
        ],
    )
    if pipeline.parameters:
        output.text()
        rows = [(f"-p {p.name}=", p.kind, p.default, p.help or None) for p in pipeline.parameters]
        output.table(("parameter", "type", "default", "meaning"), rows)
