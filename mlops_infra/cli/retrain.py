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
@click.option("--tenant", required=True, metavar="NAME", help="Whose model it is.")
@click.argument("model")
@click.option("--reason", default="", metavar="TEXT", help="Why; recorded with the training.")
@click.option("--events", is_flag=True, help="Only show what has caused trainings so far.")
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
    """Train a declared model again, now.

    Windows and cool-down do not count: you have weighed them. Exit code 3 if a training of the
    model is under way; it is named, and no second one is started.
    """
    from mlops_infra.cli.access import kubeconfig_of
    from mlops_infra.config import load, stack_file
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets
    from mlops_infra.lifecycle.triggers.client import TriggerClient

    kubeconfig, context = kubeconfig_of(stack, load(file or stack_file(stack)))
    client = TriggerClient(kubeconfig, context, ClusterSecrets(kubeconfig, context))
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
            f"{tenant}/{model} is not trained now",
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
