"""`mlops-infra pipeline list`: the pipelines that a tenant can run by name."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mlops_infra.cli import options, output, render
from mlops_infra.cli.pipeline.tenancy import stack_option, tenancy_of, tenant_option


@click.command(name="list")
@stack_option
@tenant_option
@options.file
@options.as_json
def list_(stack: str | None, tenant: str | None, file: Path | None, as_json: bool) -> None:
    """List the built-in pipelines, and those that the tenant has published.

    Without a stack and outside of a tenant's Pods, the built-in ones alone.
    """
    from mlops_infra.lifecycle.pipeline.definition.standard import STANDARD
    from mlops_infra.lifecycle.pipeline.submission import published

    around = tenancy_of(stack, tenant, file, render.sink_for(as_json)).around
    found = published.versions(around) if around.bucket else []
    if as_json:
        listed = [asdict(version) for version in found]
        output.document({"builtin": list(STANDARD), "published": listed})
        return
    output.table(
        ("pipeline", "version", "published", "from", "commit"),
        [
            *((name, None, "built in", None, None) for name in STANDARD),
            *((v.name, v.version, v.published, v.file, v.commit) for v in found),
        ],
    )
