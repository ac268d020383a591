"""`mlops-infra status`: what runs, what does not, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.errors import FoundError

if TYPE_CHECKING:
    from mlops_infra.engine import Health


@click.command()
@options.stack
@options.file
@options.as_json
def command(stack: str, file: Path | None, as_json: bool) -> None:
    """Show the cluster, the components and their Pods.

    Exit code 3 where something of the stack is not Ready.
    """
    from mlops_infra import engine
    from mlops_infra.progress import quiet

    opened = engine.open_engine(stack, file, quiet)
    found = engine.stack_health(stack, opened.record, opened.outputs())
    if as_json:
        output.document(found.as_dict())
    else:
        _show(found)
    if problems := found.problems():
        raise FoundError(
            f"stack {stack} is not as it should be", problems, hint=f"mlops-infra up -s {stack}"
        )


def _show(found: Health) -> None:
    output.text(f"stack {found.stack}, cluster {found.cluster}")
    for note in found.notes:
        output.text(f"note: {note}")
    output.text()
    rows = [
        (
            pod.component,
            found.components.get(pod.component),
            f"{pod.namespace}/{pod.name}",
            "Completed" if pod.finished else "Ready" if pod.ready else pod.phase,
            pod.restarts,
            pod.reason or None,
        )
        for pod in found.pods
    ]
    output.table(("component", "version", "pod", "state", "restarts", "why"), rows)
