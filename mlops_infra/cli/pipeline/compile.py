"""`mlops-infra pipeline compile`: a pipeline in the language of an engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra.cli import output
from mlops_infra.cli.pipeline.source import code_option, parameters_option, pipeline_of, values_of
from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Value

RUNTIME = "runtime"


@click.command(name="compile")
@click.argument("pipeline", metavar="NAME|FILE")
@click.option(
    "--engine",
    type=click.Choice(["argo", "kfp", "sagemaker"]),
    required=True,
    help="Engine to compile for.",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    help="Output file (default: stdout).",
)
@click.option(
    "--image",
    metavar="REF",
    help="Image of the steps (default: the Pod's own, or the runtime image built here).",
)
@click.option("-t", "--tenant", metavar="NAME", help="argo: tenant in whose namespace it runs.")
@click.option("--run", "run_name", metavar="ID", help="argo: name of the run.")
@code_option
@parameters_option
def compile_(
    pipeline: str,
    engine: str,
    target: Path | None,
    image: str | None,
    tenant: str | None,
    run_name: str | None,
    code: str | None,
    parameters: tuple[str, ...],
) -> None:
    """Compile a pipeline for an engine.

    argo: a Workflow (YAML). kfp: Kubeflow Pipelines IR (YAML). sagemaker: the JSON that
    CreatePipeline takes.
    """
    of = pipeline_of(pipeline)
    values = values_of(of, parameters)
    text = _compiled(of, values, engine, image, tenant, run_name, code)
    if target is None:
        click.echo(text, nl=False)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write: {error.strerror}", where=str(target)) from error
    output.text(f"wrote {target}")


def _compiled(
    of: Pipeline,
    values: dict[str, Value],
    engine: str,
    image: str | None,
    tenant: str | None,
    run_name: str | None,
    code: str | None,
) -> str:
    if engine == "sagemaker":
        import json

        from mlops_infra.lifecycle.pipeline.engines import sagemaker

        made: dict[str, Any] = sagemaker.definition(of, values, image=image, code=code)
        return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    used = image or runtime_image()
    if engine == "kfp":
        from mlops_infra.lifecycle.pipeline.engines import kfp

        return kfp.to_yaml(kfp.documents(of, values, image=used, code=code))
    import yaml

    from mlops_infra.lifecycle.pipeline.engines import argo
    from mlops_infra.lifecycle.pipeline.engines.argo_settings import ArgoSettings
    from mlops_infra.lifecycle.pipeline.submission.runs import new_run

    if tenant is None:
        raise InputError("a Workflow needs a tenant", hint="add --tenant NAME")
    settings = ArgoSettings(tenant=tenant, image=used, code=code)
    flow = argo.workflow(of, values, settings, run=run_name or new_run(of.name))
    return yaml.safe_dump(flow, sort_keys=False)


def runtime_image() -> str:
    """The image that this Pod's tenant uses, else the runtime image as it would be built here."""
    from mlops_infra.lifecycle.services.environment import Environment

    own = Environment.here().runtime_image
    if own is not None:
        return own
    from mlops_infra.images import references

    return references()[RUNTIME]
