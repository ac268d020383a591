"""`mlops-infra move`: a served model from one engine to the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from mlops_infra.cli import options, render, rollout_options
from mlops_infra.cli.decision import show
from mlops_infra.errors import FoundError


@click.command()
@click.argument("model", metavar="MODEL")
@options.stack
@options.file
@rollout_options.tenant
@rollout_options.engine("--to", "Component that is to serve it")
@rollout_options.champion_seconds
@rollout_options.ready_seconds
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
