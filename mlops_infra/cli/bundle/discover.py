"""`mlops-infra bundle discover`: what a stack needs, and who asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options


@click.command()
@bundle_options.stack
@bundle_options.additions
@bundle_options.target
@options.as_json
def discover(stack: str | None, stack_file: Path | None, as_json: bool, **given: Any) -> None:
    """List everything that a stack needs, and what requires it.

    Images come from the plan, the charts' lists and every rendered object, including arguments,
    variables, ConfigMaps and custom resources. No registry is contacted.
    """
    needs = bundle_options.needs(stack, stack_file, as_json, given)
    if as_json:
        items = [
            {"kind": kind, "name": name, "found": [place.where for place in places]}
            for kind, name, places in needs.listed()
        ]
        output.document(
            {
                "stack": needs.stack,
                "platform": needs.platform,
                "python": needs.python,
                "items": items,
                "notes": needs.notes,
            }
        )
        return
    output.table(
        ("kind", "name", "required by"),
        [
            (kind, name, places[0].where + (f" (+{len(places) - 1})" if places[1:] else ""))
            for kind, name, places in needs.listed()
        ],
    )
    for note in needs.notes:
        output.text(f"note: {note}")
