"""`mlops-infra retrain`: has a model trained again, now."""

from __future__ import annotations

import getpass
import uuid
from pathlib import Path
from typing import Any

import click

from mlops_infra.cli import options, output
from mlops_infra.errors import FoundError


@click.command()
@options.stack
@options.file
@click.option("-t", "--tenant", required=True, metavar="NAME", help="Tenant of the model.")
@click.argument("model")
@click.option("--reason", default="", metavar="TEXT", help="Reason, recorded with the training.")
@click.option("--events", is_flag=True, help="Only show the causes of past trainings.")
@options.as_json
def command(
    stack: str,
    file: Path | None,
    tenant: str,
    model: str,
    reason: str,
    events: bool,
    as_json: bool,
) -> None:
    """Retrain a declared model now.

    Ignores training windows and the cool-down. Exit code 3 if a training of the model is already
    running; it is named, and no second one is started.
    """
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.progress import quiet

    client = OpenStack(stack, file, quiet).triggers()
    if events:
        _show(client.events(tenant, model), as_json=as_json)
        return
    answer = client.retrain(
        tenant, model, reason=reason, by=getpass.getuser(), request=uuid.uuid4().hex
    )
    if as_json:
        output.document(dict(answer.body))
    if not answer.body["started"]:
        raise FoundError(
            f"{tenant}/{model} is not retrained now",
            [answer.body["why"]],
            hint=f"mlops-infra retrain -s {stack} --tenant {tenant} {model} --events",
        )
    if not as_json:
        namespace, workflow = answer.body["namespace"], answer.body["workflow"]
        output.text(f"workflow {namespace}/{workflow} trains {model}")


def _show(events: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.document({"events": events})
        return
    output.table(
        ("at", "trigger", "state", "outcome", "workflow", "cause"),
        [
            (
                str(event["at"])[:19],
                event["trigger"],
                event["state"],
                event["outcome"],
                event["workflow"],
                event["cause"].get("text"),
            )
            for event in events
        ],
    )
