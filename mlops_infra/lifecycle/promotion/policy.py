"""Whether a model version may serve: the policy, and the judgements it comes to. Pure.

`mlops_infra.lifecycle.promotion.rollout` acts on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.traffic import TrafficSummary
from mlops_infra.lifecycle.registry.versions import Registered

Direction = Literal["max", "min"]
Outcome = Literal["first", "promoted", "moved", "unchanged", "refused", "rolled-back"]
ENOUGH = 20
"""Requests from which on a percentile or a share tells something."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a candidate must show, before and while it meets the traffic."""

    metric: str = "accuracy"
    """Metric of the run that decides."""
    direction: Direction = "max"
    """Whether more of it is better or less."""
    least_improvement: float = 0.0
    """By how much it must be better; at 0 any difference counts, negative allows as much loss."""
    least: float | None = None
    """A value that must be reached at any rate (or not exceeded, where less is better)."""
    slices: str | None = None
    """Prefix of the metrics of single groups, such as `accuracy/region=`."""
    most_gap: float | None = None
    """Between the best and the worst group, where `slices` is given."""
    most_latency_ms: float | None = None
    """The 99th percentile while it is tried."""
    most_errors: float = 0.05
    """Share of its requests that may fail."""
    most_disagreement: float | None = None
    """Share of rows on which the shadow may differ from the champion."""
    needs_signature: bool = True
    """Refuse what the gateway could not check inputs for."""
    shadow_seconds: float = 60.0
    """How long it sees the traffic and answers nobody."""
    canary: tuple[int, ...] = (10, 50)
    """Percent of the traffic, one stage after the other; empty: none."""
    canary_seconds: float = 60.0
    """How long each share lasts."""
    champion_seconds: float = 20.0
    """How long a new champion is watched before the one before it is no longer the way back;
    shorter once it has answered enough."""
    least_requests: int = 0
    """That a stage must have seen before it ends."""
    stage_seconds: float = 600.0
    """After which a stage without enough requests fails."""
    ready_seconds: float = 300.0
    """Time limit for the start of the server, seconds."""

    def __post_init__(self) -> None:
        if any(not 0 < share <= 100 for share in self.canary):
            raise InputError(f"canary shares {self.canary} are not in percent", hint="1 to 100")
        if list(self.canary) != sorted(set(self.canary)):
            raise InputError(
                f"canary shares {self.canary} are not increasing", hint="for example 10,50"
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """How a promotion ended."""

    outcome: Outcome
    tenant: str
    model: str
    version: str
    champion: str | None
    """The version that serves now."""
    reason: str
    numbers: Mapping[str, float]

    @property
    def promoted(self) -> bool:
        """Whether the candidate serves now."""
        return self.outcome in ("first", "promoted", "moved", "unchanged")


def refusal(candidate: Registered, champion: Registered | None, policy: Policy) -> str | None:
    """Why the candidate is not even tried; None where it may be.

    Raises:
        OperationFailed: its run has no such metric.
    """
    value = metric(candidate, policy.metric)
    sign = 1 if policy.direction == "max" else -1
    if policy.needs_signature and not candidate.inputs:
        return "it has no signature, so its inputs cannot be checked"
    if policy.least is not None and sign * (value - policy.least) < 0:
        return f"{policy.metric} {value:g} does not reach {policy.least:g}"
    gap = _gap(candidate, policy)
    if gap is not None and policy.most_gap is not None and gap > policy.most_gap:
        return (
            f"{policy.slices}* differ by {gap:g} between groups, the limit is {policy.most_gap:g}"
        )
    if champion is None:
        return None
    held = metric(champion, policy.metric)
    better = sign * (value - held)
    if better < policy.least_improvement or (policy.least_improvement == 0 and better <= 0):
        wanted = f" by {policy.least_improvement:g}" if policy.least_improvement else ""
        return (
            f"{policy.metric} {value:g} is not better{wanted} than the {held:g}"
            f" of champion {champion.version}"
        )
    return None


def numbers(candidate: Registered, champion: Registered | None, policy: Policy) -> dict[str, float]:
    """The figures that the refusal or the consent rests on."""
    told = {"candidate": metric(candidate, policy.metric)}
    if champion is not None:
        told["champion"] = metric(champion, policy.metric)
    gap = _gap(candidate, policy)
    if gap is not None:
        told["gap"] = gap
    return told


def breach(seen: TrafficSummary, policy: Policy, *, final: bool) -> str | None:
    """Which guard rail the candidate broke while it was tried; None where none.

    Args:
        seen: what the gateway saw since the stage began.
        policy: the guard rails.
        final: whether the stage is over; before, only what is certain counts.
    """
    if (
        seen.errors
        and seen.error_share > policy.most_errors
        and (final or seen.requests >= ENOUGH or seen.errors > policy.most_errors * ENOUGH)
    ):
        return (
            f"{seen.errors} of {seen.requests} requests failed,"
            f" the limit is {policy.most_errors:.0%}"
        )
    if seen.requests < ENOUGH and not final:
        return None
    if policy.most_latency_ms is not None and (seen.p99_ms or 0) > policy.most_latency_ms:
        return f"p99 is {seen.p99_ms:.0f} ms, {policy.most_latency_ms:g} ms are allowed"
    limit = policy.most_disagreement
    if limit is not None and (seen.disagreement or 0) > limit:
        return f"it differs on {seen.disagreement:.1%} of rows, {limit:.1%} are allowed"
    return None


def metric(registered: Registered, name: str) -> float:
    """One metric of a version's run.

    Raises:
        OperationFailed: it has none of that name.
    """
    if name not in registered.metrics:
        known = ", ".join(sorted(registered.metrics)) or "none"
        raise OperationFailed(
            f"{registered.id} has no metric '{name}'",
            where=f"run {registered.tracking_run}",
            hint=f"--metric takes one of: {known}",
        )
    return float(registered.metrics[name])


def _gap(candidate: Registered, policy: Policy) -> float | None:
    if policy.slices is None:
        return None
    groups = [v for k, v in candidate.metrics.items() if k.startswith(policy.slices)]
    if not groups:
        raise OperationFailed(
            f"{candidate.id} has no metrics '{policy.slices}*'",
            where=f"run {candidate.tracking_run}",
            hint="log one metric for each group, or omit this limit",
        )
    return max(groups) - min(groups)
