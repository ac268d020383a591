"""`mlops-infra pipeline check`: what would stop a pipeline in the cluster."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.pipeline.show import text
from mlops_infra.errors import FoundError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.as_json
def check(file: Path, as_json: bool) -> None:
    """Find mistakes in a pipeline file without running it.

    Exit code 3 if there are any; each is shown with its cell and line.
    """
    from mlops_infra.lifecycle.pipeline.source.checking import check as find
    from mlops_infra.lifecycle.pipeline.source.file import read
    from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file

    source = read(file)
    found = find(source)
    if as_json:
        listed = [finding.as_dict() for finding in found]
        output.document({"file": str(file), "ok": not found, "findings": listed})
    if found:
        lines = [f"{f}" + (f" -> {f.hint}" if f.hint else "") for f in found]
        count = f"{len(found)} mistake{'s' if len(found) != 1 else ''}"
        raise FoundError(f"{file.name}: {count}", lines, where=str(file))
    if not as_json:
        text(compile_file(source))
