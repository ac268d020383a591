"""`mlops-infra pipeline publish`: a file becomes a version that its tenant keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra.cli import options, output, render
from mlops_infra.cli.pipeline.tenancy import stack_option, tenancy_of, tenant_option

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.definition.model import Pipeline
    from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", metavar="NAME", help="Name of the pipeline (default: the file's).")
@stack_option
@tenant_option
@options.file
@options.as_json
def publish(
    source: Path,
    name: str | None,
    stack: str | None,
    tenant: str | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Keep a pipeline file as the next version of its name.

    A version never changes; `pipeline run NAME` takes the latest, NAME@VERSION that one. An
    unchanged file is the version that it was. Where the platform has Kubeflow Pipelines, the
    version is registered there too.
    """
    from mlops_infra.lifecycle.pipeline.source.file import read
    from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file
    from mlops_infra.lifecycle.pipeline.submission import published
    from mlops_infra.lifecycle.pipeline.submission.commits import commit_of

    of = compile_file(read(source), name=name, commit=commit_of(source))
    tenancy = tenancy_of(stack, tenant, file, render.sink_for(as_json))
    version, new = published.publish(of, tenancy.around)
    registered = _registered(of, tenancy)
    if as_json:
        told: dict[str, Any] = {"name": version.name, "version": version.version, "new": new}
        output.document({**told, "sha256": version.sha256, "kubeflow_pipelines": registered})
        return
    output.text(f"{version}: {'published' if new else 'unchanged'}")
    if registered is not None:
        output.text(f"Kubeflow Pipelines has it as {registered}")


def _registered(of: Pipeline, tenancy: Tenancy) -> str | None:
    """The version of Kubeflow Pipelines; None where the platform has none."""
    if not tenancy.has_pipelines:
        return None
    from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of
    from mlops_infra.lifecycle.pipeline.submission.kfp_run import upload

    made = upload(of, tenancy, api_of(tenancy)).version
    return f"{of.name} ({made.version})"
