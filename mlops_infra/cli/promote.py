"""`mlops-infra promote`: from the registry to the traffic, as far as a model deserves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlops_infra.cli import options, render, rollout_options
from mlops_infra.cli.decision import show
from mlops_infra.errors import FoundError


class _Shares(click.ParamType[tuple[int, ...]]):
    """Growing percentages, `10,50`."""

    name = "shares"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read them; click's own error where they are none."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(each) for each in str(value).split(",") if each)
        except ValueError:
            self.fail(f"{value!r} is not a list of percentages such as 10,50", param, ctx)


@click.command()
@click.argument("model", metavar="MODEL[/VERSION]")
@options.stack
@options.file
@rollout_options.tenant
@click.option("--rollback", is_flag=True, help="Roll back the challenger, or else the champion.")
@click.option("--metric", default="accuracy", show_default=True, help="Deciding metric.")
@click.option("--less-is-better", is_flag=True, help="A lower metric is better, as with log_loss.")
@click.option("--min-improvement", default=0.0, show_default=True, help="Minimum improvement.")
@click.option("--min-value", type=float, help="Minimum value of the metric.")
@click.option("--slices", metavar="PREFIX", help="Metrics of groups to compare for fairness.")
@click.option("--max-gap", type=float, help="Maximum difference between these groups.")
@click.option("--max-latency-ms", type=float, help="Maximum 99th percentile of the latency.")
@click.option(
    "--max-error-share",
    default=0.05,
    show_default=True,
    help="Maximum share of failed requests, 0 to 1.",
)
@click.option(
    "--max-disagreement",
    type=float,
    help="Maximum share of rows (0 to 1) with another answer, as a shadow.",
)
@rollout_options.seconds(
    "--shadow-seconds", 60.0, "Duration of the shadow stage, seconds; 0 skips it."
)
@click.option(
    "--canary",
    type=_Shares(),
    default="10,50",
    show_default=True,
    metavar="SHARES",
    help="Percentages of the traffic, one per canary stage.",
)
@rollout_options.seconds("--canary-seconds", 60.0, "Duration of each canary stage, seconds.")
@rollout_options.champion_seconds
@click.option(
    "--min-requests", default=0, show_default=True, help="Minimum number of requests per stage."
)
@rollout_options.ready_seconds
@click.option(
    "--replicas",
    default="1",
    show_default=True,
    metavar="N or N-M",
    help="Number of Pods, or a range for autoscaling.",
)
@rollout_options.engine("--engine", "Model server of a new version")
@options.as_json
def command(
    model: str,
    stack: str,
    file: Path | None,
    tenant: str,
    rollback: bool,
    replicas: str,
    engine: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Promote a model version, tried on live traffic first.

    Every version first has to answer a request of its own form. Then the first model of an endpoint
    serves at once. A better one receives a copy of the champion's traffic (shadow), then growing
    shares of it (canary), then all of it. A violated limit rolls it back at once, and so does a
    failure right after it has become champion. Later, the gateway lets the former champion answer
    what the champion fails on. To continue an interrupted run, repeat the command. Exit code 3 if
    the version was refused or rolled back.
    """
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.lifecycle.promotion.policy import Policy
    from mlops_infra.lifecycle.promotion.rollout import Rollout

    sink = render.sink_for(as_json)
    policy = Policy(**_policy(given))
    access = OpenStack(stack, file, sink).access(tenant)
    name, _, version = model.partition("/")
    rollout = Rollout(access.parts(name, engine, _scaling(replicas)), policy, tenant, name, sink)
    decision = rollout.roll_back() if rollback else rollout.promote(version or None)
    show(decision, as_json=as_json)
    if not decision.promoted and not rollback:
        raise FoundError(
            f"{name}/{decision.version} is {decision.outcome}: {decision.reason}",
            hint=f"mlops-infra lineage -s {stack} {name}/{decision.version}",
        )


def _policy(given: dict[str, Any]) -> dict[str, Any]:
    names = {
        "metric": "metric",
        "min_improvement": "least_improvement",
        "min_value": "least",
        "slices": "slices",
        "max_gap": "most_gap",
        "max_latency_ms": "most_latency_ms",
        "max_error_share": "most_errors",
        "max_disagreement": "most_disagreement",
        "shadow_seconds": "shadow_seconds",
        "canary": "canary",
        "canary_seconds": "canary_seconds",
        "champion_seconds": "champion_seconds",
        "min_requests": "least_requests",
        "ready_seconds": "ready_seconds",
    }
    direction = "min" if given["less_is_better"] else "max"
    return {"direction": direction, **{ours: given[option] for option, ours in names.items()}}


def _scaling(text: str) -> Any:
    from mlops_infra.errors import InputError
    from mlops_infra.lifecycle.serving.interface import Scaling

    least, _, most = text.partition("-")
    if not least.isdecimal() or (most and not most.isdecimal()):
        raise InputError(
            f"--replicas {text} is not a number of Pods", hint="use 1, or 1-4 for autoscaling"
        )
    return Scaling(int(least), int(most or least))
