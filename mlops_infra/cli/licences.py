"""`mlops-infra licences`: every image of a stack with its licence and what the policy says."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.errors import FoundError


@click.command()
@options.stack
@options.file
@options.as_json
def command(stack: str, file: Path | None, as_json: bool) -> None:
    """List the licence of every image and the decision of the policy.

    Exit code 3 if the policy refuses one.
    """
    from mlops_infra.config import load, stack_file
    from mlops_infra.images import references
    from mlops_infra.plan.licence_report import licence_report

    config = load(file or stack_file(stack))
    rows = licence_report(config, stack=stack, built=references())
    refused = [each for each in rows if each.verdict == "refused"]
    if as_json:
        output.document({"stack": stack, "policy": config.licence.policy, "images": list(rows)})
    else:
        output.table(
            ("image", "component", "version", "licence", "verdict", "source"),
            [(r.image, r.component, r.version, r.spdx, r.verdict, r.source) for r in rows],
        )
        for each in refused:
            output.text(f"{each.image}: use {each.alternative or 'another component'}")
    if refused:
        raise FoundError(
            f"policy '{config.licence.policy}' refuses {len(refused)} of {len(rows)} images",
            where=config.origin.file,
            hint="choose other components, or accept them in licence.accept",
        )
