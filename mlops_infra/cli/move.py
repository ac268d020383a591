"""`mlops-infra move`: a served model from one engine to the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from mlops_infra.cli import options, render
from mlops_infra.cli.decision import show
from mlops_infra.errors import FoundError


@click.command()
@click.argument("model", metavar="MODEL")
@options.stack
@options.file
@click.option("-t", "--tenant", required=True, metavar="NAME", help="Tenant of the endpoint.")
@click.option(
    "--to",
    type=click.Choice(["kserve", "seldon-core"]),
    help="Component that is to serve it (default: as configured).",
)
@click.option(
    "--champion-seconds",
    default=20.0,
    show_default=True,
    help="Time in which a new server that fails gives the traffic back, seconds.",
)
@click.option(
    "--ready-seconds",
    default=300.0,
    show_default=True,
    help="Time limit for the start of each server, seconds.",
)
@options.as_json
def command(
    model: str,
    stack: str,
    file: Path | None,
    tenant: str,
    to: str | None,
    champion_seconds: float,
    ready_seconds: float,
    as_json: bool,
) -> None:
    """Move a served model to another engine, without a gap.

    The new server has to answer a request through the gateway before it gets the traffic. The old
    one stands by until the new one has answered the traffic as well, then it is removed. URL,
    version and number of Pods stay the same. To continue an interrupted move, repeat the command;
    to take it back, move the model back. Exit code 3 if the old server serves on.
    """
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.lifecycle.promotion.move import Move
    from mlops_infra.lifecycle.promotion.policy import Policy

    sink = render.sink_for(as_json)
    policy = Policy(champion_seconds=champion_seconds, ready_seconds=ready_seconds)
    access = OpenStack(stack, file, sink).access(tenant)
    decision = Move(access.parts(model, to), policy, tenant, model, sink).run()
    configured = access.engines.models.get(model, access.engines.default)
    if to not in (None, configured) and decision.promoted:
        again = f"the next version is served by {configured} again: that is configured"
        decision = replace(decision, reason="; ".join(filter(None, (decision.reason, again))))
    show(decision, as_json=as_json)
    if not decision.promoted:
        raise FoundError(
            f"{model} was not moved: {decision.reason}",
            hint=f"mlops-infra lineage -s {stack} {model}/{decision.version}",
        )
